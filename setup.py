"""The compiled part of the package, and the one file that stands outside it; all else is in pyproject.toml.

Without a compiler the extension is left out, the build succeeds, and the radio steps its models with numpy.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

FOLDER = Path("kernels/cpu")
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")  # free-threaded Python has no stable interface yet


class BuildWithStations(build_py):
    """Copies `stations.yaml` into the package, since it stands at the top of the checkout for its users."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file("stations.yaml", str(Path(self.build_lib) / "radio" / "stations.yaml"))


setup(
    cmdclass={"build_py": BuildWithStations},
    ext_modules=[
        Extension(
            "radio.model._native",
            sorted(str(path) for path in FOLDER.glob("*.c")),
            depends=sorted(str(path) for path in FOLDER.glob("*.h")),
            define_macros=[("Py_LIMITED_API", "0x030b0000")] if STABLE else [],
            # Products and sums become one instruction where there is one, in every path alike.
            extra_compile_args=["-std=gnu11", "-O3", "-ffp-contract=fast", "-Wall", "-Wextra"],
            libraries=["m"],
            py_limited_api=STABLE,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
