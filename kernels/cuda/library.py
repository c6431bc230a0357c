"""The compiled kernels: built by nvcc when first asked for, bound through their C interface.

Nothing of torch's headers or CUDA's runtime is needed beside nvcc: the library is linked statically, launches on the
stream it is given, and takes addresses of tensors.
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
BUILT = FOLDER.parents[1] / "build" / "cuda"
"""Where compiled libraries are kept, a file for each architecture and version of the source."""
OPTIONS = ("-std=c++17", "-O3", "-shared", "-Xcompiler=-fPIC", "-cudart=static")
OLDEST = (8, 0)
"""Compute capability: before it a block has less shared memory than the backward pass needs (97 KB)."""
HEAD_SIZE = 64
_POINTER, _INT = ctypes.c_void_p, ctypes.c_int


class KernelError(RuntimeError):
    """The kernels cannot be compiled, loaded or launched."""


class Library:
    """The kernels, with tensors for arguments. Shapes and axes are those of `kernels.wkv6_naive`.

    All tensors must be contiguous, on one device, and begin on 16 bytes; r, k, v, y and their gradients are all float32
    or all bfloat16, everything else is float32.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._functions = ctypes.CDLL(str(path))
        except OSError as fault:
            raise KernelError(f"{path} cannot be loaded: {fault}") from fault
        self._functions.wkv6_forward.argtypes = [_INT] * 5 + [_POINTER] * 10
        self._functions.wkv6_backward.argtypes = [_INT] * 5 + [_POINTER] * 16
        self._functions.wkv6_error.restype = ctypes.c_char_p
        self.chunk = int(self._functions.wkv6_chunk())
        """Tokens from one saved state to the next."""

    def forward(self, inputs: tuple[Tensor, ...], y: Tensor, after: Tensor, saved: Tensor | None, splits: int) -> None:
        """Fill y, the state after the last token, and if asked the states before each chunk (B, H, chunks, N, N).

        Args:
            inputs: r, k, v, log_w, u, state.
            splits: into how many blocks a head's value axis is cut: 1, 2 or 4.

        Raises:
            KernelError: CUDA refused the launch.
        """
        self._launch("wkv6_forward", splits, inputs[0], *inputs, y, after, saved)

    def backward(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], splits: int) -> None:
        """Fill the gradients.

        Args:
            inputs: r, k, v, log_w, u, saved states, gradients of y and of the state after the last token.
            outputs: gradients of r, k, v, log_w, of u for each chunk (B, chunks, H, N), and of the state; the state's
                gradients after each chunk, as large as the saved states.
            splits: as for `forward`.

        Raises:
            KernelError: CUDA refused a launch.
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
            words = self._functions.wkv6_error(error).decode()
            raise KernelError(f"{name} for {batch} × {length} tokens, {heads} heads: {words}")


def compiler() -> str | None:
    """Where nvcc is: on PATH, or in CUDA_HOME; None if there is none."""
    home = os.environ.get("CUDA_HOME", "/usr/local/cuda")
    return shutil.which("nvcc") or shutil.which("nvcc", path=str(Path(home, "bin")))


def build(architecture: str, folder: Path = BUILT) -> Path:
    """Compile the kernels for an architecture such as `sm_90`, unless it was done before; some seconds.

    Raises:
        KernelError: there is no nvcc, or it failed.
    """
    nvcc = compiler()
    if nvcc is None:
        raise KernelError("nvcc is neither on PATH nor in CUDA_HOME; it comes with the CUDA toolkit")
    sources = [FOLDER / "wkv6.cu", *sorted(FOLDER.glob("*.cuh"))]
    known = hashlib.sha256("\n".join(OPTIONS).encode())
    for source in sources:
        known.update(source.read_bytes())
    built = folder / f"wkv6-{architecture}-{known.hexdigest()[:16]}.so"
    if built.exists():
        return built
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:  # several processes may build at once: the last one stays
        made = Path(scratch) / built.name
        command = [nvcc, f"-arch={architecture}", *OPTIONS, "-o", str(made), str(sources[0])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise KernelError(f"nvcc failed, {' '.join(command)}: {done.stderr.strip()}")
        made.replace(built)
    return built


def on_device(index: int) -> Library:
    """The kernels for one CUDA device; the first call may compile them, some seconds.

    Raises:
        KernelError: they cannot be compiled for it, or the device is too old.
    """
    capability = torch.cuda.get_device_capability(index)
    if capability < OLDEST:
        name = torch.cuda.get_device_name(index)
        raise KernelError(
            f"{name} has compute capability {capability[0]}.{capability[1]}; the kernels need 8.0 or later"
        )
    return _opened(f"sm_{capability[0]}{capability[1]}")


@functools.cache
def missing_reason(index: int) -> str:
    """Why there are no kernels for a CUDA device, in one line; empty where there are."""
    try:
        on_device(index)
    except KernelError as fault:
        return str(fault)
    return ""


def takes(tokens: Tensor) -> bool:
    """Whether the WKV operator computes these (B, T, H, N): on a CUDA device, heads of 64, float32 or bfloat16.

    Where it would but for the missing kernels, training gets slow: that is a warning.
    """
    if not tokens.is_cuda or tokens.shape[-1] != HEAD_SIZE or tokens.dtype not in {torch.float32, torch.bfloat16}:
        return False
    missing = missing_reason(tokens.get_device())
    if missing:
        warnings.warn(f"WKV-6 is left to PyTorch, many times slower than its kernels: {missing}", stacklevel=2)
    return not missing


@functools.cache
def _opened(architecture: str) -> Library:
    return Library(build(architecture))
