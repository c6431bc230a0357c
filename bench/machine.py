"""A description of the machine for the scoreboard."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np


def describe() -> dict[str, str]:
    """Return the hardware, the system, and the versions of the libraries that affect speed."""
    cpus = Path("/proc/cpuinfo")
    models = (
        [line.partition(":")[2].strip() for line in cpus.read_text().splitlines() if line.startswith("model name")]
        if cpus.exists()
        else []
    )
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    one, five, _ = os.getloadavg()
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": f"{np.__version__} with {blas['name']} {blas['version']}",
        "av": _installed("av"),
        "load": f"{one:.1f} in the last minute, {five:.1f} in the last five",
    }


def _installed(package: str) -> str:
    """Return the version of a package. A machine that only measures kernels may not have it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
