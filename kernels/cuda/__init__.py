"""WKV operators for CUDA devices: compiled by nvcc when first needed."""

from kernels.cuda.library import KernelError, missing_reason, takes
from kernels.cuda.wkv6_cuda import wkv6_cuda

__all__ = ["KernelError", "missing_reason", "takes", "wkv6_cuda"]
