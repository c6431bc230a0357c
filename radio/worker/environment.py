"""The environment of child processes: the variables that programs need, without keys and tokens."""

from __future__ import annotations

import os
from typing import Final

_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""More threads for matrix products would only wait for one another."""
_NAMES: Final = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LD_PRELOAD"})
_PREFIXES: Final = ("LC_", "PYTHON", "XDG_", "COVERAGE_", "COV_CORE_")


def child_environment() -> dict[str, str]:
    """Return the variables for a child process. The others may contain stream keys and tokens, which no child needs."""
    inherited = {name: value for name, value in os.environ.items() if name in _NAMES or name.startswith(_PREFIXES)}
    return _ONE_THREAD | inherited
