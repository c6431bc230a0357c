"""WKV operators for CUDA devices: compiled by nvcc when first needed."""

from kernels.cuda.library import KernelError, takes, why_missing
from kernels.cuda.wkv6_cuda import wkv6_cuda

__all__ = ["KernelError", "takes", "why_missing", "wkv6_cuda"]
