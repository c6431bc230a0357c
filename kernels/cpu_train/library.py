"""The shared library of the operators, compiled by the system's C compiler on first use and cached in build/cpu_train.

Compiling on the machine itself makes all instructions of its processor available, and users who do not train need no
compiler. The library uses the OpenMP that torch has loaded, so both share one thread pool; import torch first.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeAlias

import torch
from torch import Tensor

SOURCES = Path(__file__).parent
CACHE = SOURCES.parents[1] / "build" / "cpu_train"
# Fuse products and sums; let square roots and comparisons skip errno and traps.
OPTIONS = ("-std=gnu11", "-O3", "-march=native", "-fopenmp", "-ffp-contract=fast", "-fno-math-errno",
           "-fno-trapping-math", "-shared", "-fPIC")  # fmt: skip

HEAD_SIZE, LANES = 64, 16
SPAN = 64
"""Tokens between two states that are saved for the backward pass, as in head.h."""
DTYPES = {torch.float32: 0, torch.bfloat16: 1}
"""Dtypes that the operators read and write, with their values in `enum dtype` of lanes.h."""


def available() -> bool:
    """Return True if the operators can be used. The first call may compile them, which takes a few seconds."""
    return load_library()[0] is not None


def supports_elementwise(x: Tensor, dtype: torch.dtype) -> bool:
    """Return True if the element-wise operators can read tensors such as `x` and write `dtype`.

    They need CPU tensors of float32 or bfloat16 whose last axis is a multiple of 16.
    """
    return x.device.type == "cpu" and x.shape[-1] % LANES == 0 and {x.dtype, dtype} <= DTYPES.keys() and available()


def supports_wkv(tokens: Tensor) -> bool:
    """Return True if the WKV operators support `tokens` (B, T, H, N): `supports_elementwise`, and N is 64."""
    return tokens.shape[-1] == HEAD_SIZE and supports_elementwise(tokens, tokens.dtype)


def missing_reason() -> str:
    """Return the reason why the operators are missing, in one line, or an empty string if they are available."""
    return load_library()[1]


Argument: TypeAlias = int | float | Tensor | Sequence[Tensor] | None


def call(name: str, *arguments: Argument) -> None:
    """Call a function of the library with as many threads as torch uses.

    Args:
        name: the C function.
        arguments: its arguments after the number of threads: numbers and contiguous tensors.
    """
    library = load_library()[0]
    if library is None:
        raise RuntimeError(f"the training operators in C are not available: {missing_reason()}")
    function = getattr(library, name)
    function(ctypes.c_int(torch.get_num_threads()), *map(_as_c, arguments))


def _as_c(argument: Argument) -> Any:
    if isinstance(argument, int):
        return ctypes.c_int(argument)
    if isinstance(argument, float):
        return ctypes.c_float(argument)
    if isinstance(argument, Tensor):
        if not argument.is_contiguous():
            raise ValueError(f"operators in C need contiguous tensors; got strides {argument.stride()}")
        return ctypes.c_void_p(argument.data_ptr())
    if argument is None:
        return ctypes.c_void_p(None)
    return (ctypes.c_void_p * len(argument))(*map(_as_c, argument))


@cache
def load_library() -> tuple[ctypes.CDLL | None, str]:
    """Load the library. Return it and an empty string, or None and the reason why it is missing."""
    compiler = os.environ.get("CC") or shutil.which("cc")
    if compiler is None:
        return None, "no C compiler (cc) on the path"
    try:
        return ctypes.CDLL(str(_compile(compiler))), ""
    except subprocess.CalledProcessError as error:
        return None, f"{compiler} failed: {error.stderr.strip().splitlines()[0] if error.stderr.strip() else error}"
    except OSError as error:
        return None, str(error)


def _compile(compiler: str) -> Path:
    """Return the library for these sources, this compiler and this processor. Compile it unless it is cached."""
    sources = sorted(SOURCES.glob("*.c"))
    headers = [*sorted(SOURCES.glob("*.h")), *sorted((SOURCES.parent / "cpu").glob("*.h"))]
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    digest = hashlib.sha256("\n".join([version, *OPTIONS, _processor()]).encode())
    for path in [*sources, *headers]:
        digest.update(path.read_bytes())
    library = CACHE / f"{digest.hexdigest()[:16]}{sysconfig.get_config_var('SHLIB_SUFFIX') or '.so'}"
    if library.exists():
        return library
    CACHE.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=CACHE, suffix=".part", delete=False) as part:
        path = Path(part.name)
    try:
        command = [compiler, *OPTIONS, *map(str, sources), "-lm", "-o", str(path)]
        subprocess.run(command, capture_output=True, text=True, check=True)
        path.replace(library)  # atomic, since another process may compile the same library
    finally:
        path.unlink(missing_ok=True)
    return library


def _processor() -> str:
    """Return the properties of the processor that -march=native depends on, since machines may share a cache."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return "".join(line for line in dict.fromkeys(lines) if line.startswith(("model name", "flags", "Features")))
