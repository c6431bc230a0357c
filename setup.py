"""The compiled extensions, the shipped stations.yaml, and the description for a package index.

Everything else is in pyproject.toml. Without a compiler the extensions are left out, the build succeeds, and the radio
steps its models and computes its effects with numpy.
"""

from __future__ import annotations

import os
import re
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

KERNELS = Path("kernels")
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")  # free-threaded Python has no stable interface yet
URL = os.environ.get("PROJECT_URL", "").rstrip("/")
"""Address of the repository's files, such as https://git.example.org/radio/blob/main, for the links of the README."""


class BuildWithStations(build_py):
    """Copies `stations.yaml` into the package, since it stands at the top of the checkout for its users."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file("stations.yaml", str(Path(self.build_lib) / "radio" / "stations.yaml"))


def description() -> str:
    """Return the README as a package index can show it: links become absolute, or text without an address.

    Pictures, and links that stand alone, are left out: an index cannot show files of the repository.
    """
    text = Path("README.md").read_text(encoding="utf-8")
    text = re.sub(r"^\**!?\[[^]]*]\((?!https?:)[^)]*\)\**\n+", "", text, flags=re.MULTILINE)
    return re.sub(r"\[([^]]+)]\((?!https?:|#)([^)]+)\)", rf"[\1]({URL}/\2)" if URL else r"\1", text)


def extension(name: str, folder: Path, *options: str) -> Extension:
    """Return the extension of a folder of C code."""
    return Extension(
        name,
        sorted(str(path) for path in folder.glob("*.c")),
        depends=sorted(str(path) for path in folder.glob("*.h")),
        define_macros=[("Py_LIMITED_API", "0x030b0000")] if STABLE else [],
        extra_compile_args=["-std=gnu11", "-O3", "-Wall", "-Wextra", *options],
        libraries=["m"],
        py_limited_api=STABLE,
        optional=True,
    )


setup(
    long_description=description(),
    long_description_content_type="text/markdown",
    project_urls={"Source": URL} if URL else {},
    cmdclass={"build_py": BuildWithStations},
    ext_modules=[
        # Products and sums become one instruction where there is one, in every path alike.
        extension("radio.model._native", KERNELS / "cpu", "-ffp-contract=fast"),
        # They stay two, so that the samples are those of numpy.
        extension("radio.audio._native", KERNELS / "audio", "-ffp-contract=off"),
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
