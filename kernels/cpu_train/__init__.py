"""Training's operators for the CPU, in C: compiled when first needed, for the processor at hand."""

from kernels.cpu_train.library import available, takes, why_missing
from kernels.cpu_train.wkv6 import wkv6

__all__ = ["available", "takes", "why_missing", "wkv6"]
