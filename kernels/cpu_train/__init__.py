"""Training operators for the CPU in C, compiled on first use for the processor of the machine."""

from kernels.cpu_train.library import available, missing_reason, supports_elementwise, supports_wkv
from kernels.cpu_train.mixes import gated_norm, sigmoid_gate, squared_relu, token_shift
from kernels.cpu_train.wkv6_cpu import wkv6
from kernels.cpu_train.wkv7_cpu import wkv7

__all__ = [
    "available",
    "gated_norm",
    "missing_reason",
    "sigmoid_gate",
    "squared_relu",
    "supports_elementwise",
    "supports_wkv",
    "token_shift",
    "wkv6",
    "wkv7",
]  # fmt: skip
