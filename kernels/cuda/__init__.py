"""WKV operators for CUDA devices, compiled by nvcc on first use."""

from kernels.cuda.library import KernelError, missing_reason, supports_wkv
from kernels.cuda.wkv6_cuda import wkv6

__all__ = ["KernelError", "missing_reason", "supports_wkv", "wkv6"]
