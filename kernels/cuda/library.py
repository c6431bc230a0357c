"""The compiled kernels, built by nvcc on first use and bound through their C interface.

The build needs only nvcc, not the headers of torch: the library links the CUDA runtime statically, takes the addresses
of tensors, and launches on a given stream.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor

FOLDER = Path(__file__).parent
CACHE = FOLDER.parents[1] / "build" / "cuda"
"""Folder of the compiled libraries, one file per architecture and version of the source."""
OPTIONS = ("-std=c++17", "-O3", "-shared", "-Xcompiler=-fPIC", "-cudart=static")
OLDEST_CAPABILITY = (8, 0)
"""Oldest supported compute capability; a block needs 97 KB of shared memory in the backward pass."""
HEAD_SIZE = 64
_POINTER, _INT = ctypes.c_void_p, ctypes.c_int


class KernelError(RuntimeError):
    """An error in compiling, loading or launching the kernels."""


class Library:
    """The kernels as functions of tensors. Shapes and axes are those of `kernels.wkv6_naive`.

    All tensors must be contiguous, on one device, and aligned to 16 bytes. r, k, v, y and their gradients are all
    float32 or all bfloat16; the other tensors are float32.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._functions = ctypes.CDLL(str(path))
        except OSError as error:
            raise KernelError(f"{path}: cannot be loaded: {error}") from error
        self._functions.wkv6_forward.argtypes = [_INT] * 5 + [_POINTER] * 10
        self._functions.wkv6_backward.argtypes = [_INT] * 5 + [_POINTER] * 16
        self._functions.wkv6_error.restype = ctypes.c_char_p
        self.chunk = int(self._functions.wkv6_chunk())
        """Tokens between two saved states."""

    def forward(self, inputs: tuple[Tensor, ...], y: Tensor, after: Tensor, saved: Tensor | None, splits: int) -> None:
        """Compute y, the state after the last token, and the states before each chunk (B, H, chunks, N, N).

        Args:
            inputs: r, k, v, log_w, u, state.
            y, after, saved: the outputs; None skips the saved states.
            splits: number of blocks per head that divide the value axis: 1, 2 or 4.

        Raises:
            KernelError: The launch failed.
        """
        self._launch("wkv6_forward", splits, inputs[0], *inputs, y, after, saved)

    def backward(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], splits: int) -> None:
        """Compute the gradients.

        Args:
            inputs: r, k, v, log_w, u, saved states, gradients of y and of the state after the last token.
            outputs: gradients of r, k, v, log_w, of u per chunk (B, chunks, H, N), and of the state; then memory for
                the gradients of the state after each chunk, as large as the saved states.
            splits: as in `forward`.

        Raises:
            KernelError: A launch failed.
        """
        self._launch("wkv6_backward", splits, inputs[0], *inputs, *outputs)

    def _launch(self, name: str, splits: int, r: Tensor, *tensors: Tensor | None) -> None:
        batch, length, heads, _ = r.shape
        if not batch * heads:
            return
        stream = torch.cuda.current_stream(r.device).cuda_stream if r.is_cuda else None
        addresses = [None if tensor is None else tensor.data_ptr() for tensor in tensors]
        function = getattr(self._functions, name)
        error = function(r.dtype == torch.bfloat16, splits, batch, length, heads, *addresses, stream)
        if error:
            message = self._functions.wkv6_error(error).decode()
            raise KernelError(f"{name} for {batch} × {length} tokens, {heads} heads: {message}")


def find_nvcc() -> str | None:
    """Return the path of nvcc, on PATH or in CUDA_HOME, or None if it is missing."""
    home = os.environ.get("CUDA_HOME", "/usr/local/cuda")
    return shutil.which("nvcc") or shutil.which("nvcc", path=str(Path(home, "bin")))


def build(architecture: str, folder: Path = CACHE) -> Path:
    """Compile the kernels for an architecture such as `sm_90` unless they are cached. Return the path of the library.

    Raises:
        KernelError: nvcc is missing, or it failed.
    """
    nvcc = find_nvcc()
    if nvcc is None:
        raise KernelError("nvcc is neither on PATH nor in CUDA_HOME; install the CUDA toolkit")
    sources = [FOLDER / "wkv6.cu", *sorted(FOLDER.glob("*.cuh"))]
    digest = hashlib.sha256("\n".join(OPTIONS).encode())
    for source in sources:
        digest.update(source.read_bytes())
    library = folder / f"wkv6-{architecture}-{digest.hexdigest()[:16]}.so"
    if library.exists():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:  # several processes may build at the same time
        partial = Path(scratch) / library.name
        command = [nvcc, f"-arch={architecture}", *OPTIONS, "-o", str(partial), str(sources[0])]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise KernelError(f"nvcc failed, {' '.join(command)}: {_first_error(result.stderr)}")
        partial.replace(library)
    return library


def open_library(index: int) -> Library:
    """Open the kernels for a CUDA device. The first call may compile them, which takes a few seconds.

    Raises:
        KernelError: The kernels cannot be compiled, or the device is too old.
    """
    capability = torch.cuda.get_device_capability(index)
    if capability < OLDEST_CAPABILITY:
        name = torch.cuda.get_device_name(index)
        raise KernelError(
            f"{name} has compute capability {capability[0]}.{capability[1]}; the kernels need at least 8.0"
        )
    return _open(f"sm_{capability[0]}{capability[1]}")


@functools.cache
def missing_reason(index: int) -> str:
    """Return the reason why a CUDA device has no kernels, in one line, or an empty string if it has them."""
    try:
        open_library(index)
    except KernelError as error:
        return str(error)
    return ""


def supports_wkv(tokens: Tensor) -> bool:
    """Return True if the WKV operator supports `tokens` (B, T, H, N): on a CUDA device, N = 64, float32 or bfloat16.

    Warn if only missing kernels prevent it, since training is then slow.
    """
    if not tokens.is_cuda or tokens.shape[-1] != HEAD_SIZE or tokens.dtype not in {torch.float32, torch.bfloat16}:
        return False
    reason = missing_reason(tokens.get_device())
    if reason:
        warnings.warn(f"WKV-6 runs in PyTorch, many times slower than its CUDA kernels: {reason}", stacklevel=2)
    return not reason


def _first_error(output: str) -> str:
    """Return the first line of a compiler's output that reports an error, or else its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it printed nothing"]
    return next((line for line in lines if "error" in line or "fatal" in line), lines[-1])


@functools.cache
def _open(architecture: str) -> Library:
    return Library(build(architecture))
