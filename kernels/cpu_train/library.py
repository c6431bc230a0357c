"""The operators' shared library: compiled with the system's C compiler when first needed, kept in build/cpu_train.

Compiled where it runs, it can use all that the processor has, and nothing is built for those who do not train.
It takes OpenMP's threads from the library that torch has loaded, so both share one pool; import torch first.
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
# Products and sums become one instruction; square roots and comparisons need not set errno or trap.
OPTIONS = ("-std=gnu11", "-O3", "-march=native", "-fopenmp", "-ffp-contract=fast", "-fno-math-errno",
           "-fno-trapping-math", "-shared", "-fPIC")  # fmt: skip

HEAD_SIZE, LANES = 64, 16
SPAN = 64
"""Tokens between two states that are kept for the backward pass, as in head.h."""
KINDS = {torch.float32: 0, torch.bfloat16: 1}
"""Numbers that the operators read and write, as `enum kind` in lanes.h names them."""


def available() -> bool:
    """Whether the operators can be used here; the first call may compile them, a few seconds."""
    return opened()[0] is not None


def serves(x: Tensor, dtype: torch.dtype) -> bool:
    """Whether the operators read tensors such as x and write `dtype`: on the CPU, rows of 16s, float32 or bfloat16."""
    return x.device.type == "cpu" and x.shape[-1] % LANES == 0 and {x.dtype, dtype} <= KINDS.keys() and available()


def takes(tokens: Tensor) -> bool:
    """Whether the operators compute with these heads, (B, T, H, N): where they serve, and N is 64."""
    return tokens.shape[-1] == HEAD_SIZE and serves(tokens, tokens.dtype)


def missing_reason() -> str:
    """What went wrong, in one line; empty where nothing did."""
    return opened()[1]


Argument: TypeAlias = int | float | Tensor | Sequence[Tensor] | None


def call(name: str, *arguments: Argument) -> None:
    """Run one function of the library with as many threads as torch uses.

    Args:
        arguments: numbers and contiguous tensors, in the order of the C function, whose first argument is the threads.
    """
    library = opened()[0]
    if library is None:
        raise RuntimeError(f"training's native operators are not there: {missing_reason()}")
    function = getattr(library, name)
    function(ctypes.c_int(torch.get_num_threads()), *map(_as_c, arguments))


def _as_c(argument: Argument) -> Any:
    if isinstance(argument, int):
        return ctypes.c_int(argument)
    if isinstance(argument, float):
        return ctypes.c_float(argument)
    if isinstance(argument, Tensor):
        if not argument.is_contiguous():
            raise ValueError(f"an operator in C reads contiguous tensors, not strides {argument.stride()}")
        return ctypes.c_void_p(argument.data_ptr())
    if argument is None:
        return ctypes.c_void_p(None)
    return (ctypes.c_void_p * len(argument))(*map(_as_c, argument))


@cache
def opened() -> tuple[ctypes.CDLL | None, str]:
    """The library, or None and why not."""
    compiler = os.environ.get("CC") or shutil.which("cc")
    if compiler is None:
        return None, "no C compiler (cc) on the path"
    try:
        return ctypes.CDLL(str(_compiled(compiler))), ""
    except subprocess.CalledProcessError as fault:
        return None, f"{compiler} failed: {fault.stderr.strip().splitlines()[0] if fault.stderr.strip() else fault}"
    except OSError as fault:
        return None, str(fault)


def _compiled(compiler: str) -> Path:
    """The library for these sources, this compiler and this processor; made if it is not there yet."""
    sources = sorted(SOURCES.glob("*.c"))
    headers = [*sorted(SOURCES.glob("*.h")), *sorted((SOURCES.parent / "cpu").glob("*.h"))]
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    known = hashlib.sha256("\n".join([version, *OPTIONS, _processor()]).encode())
    for path in [*sources, *headers]:
        known.update(path.read_bytes())
    made = CACHE / f"{known.hexdigest()[:16]}{sysconfig.get_config_var('SHLIB_SUFFIX') or '.so'}"
    if made.exists():
        return made
    CACHE.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=CACHE, suffix=".part", delete=False) as part:
        path = Path(part.name)
    try:
        command = [compiler, *OPTIONS, *map(str, sources), "-lm", "-o", str(path)]
        subprocess.run(command, capture_output=True, text=True, check=True)
        path.replace(made)  # at once: another process may be compiling the same
    finally:
        path.unlink(missing_ok=True)
    return made


def _processor() -> str:
    """What -march=native looks at: a cache may be shared between machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return "".join(line for line in dict.fromkeys(lines) if line.startswith(("model name", "flags", "Features")))
