"""Element-wise parts of RWKV's blocks: one pass in C on a supported CPU, or PyTorch's individual operators.

Their results have the dtype of matrix products, `products_dtype`, so that they need no conversion.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kernels import cpu_train


def products_dtype(x: Tensor) -> torch.dtype:
    """Return the dtype of matrix products on the device of `x`: that of autocast, or the tensor's own."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


def token_shift(x: Tensor, last: Tensor, maa: Tensor, offsets: Tensor | None = None) -> tuple[Tensor, ...]:
    """Mix each token with the previous one, into K tensors (B, T, C): x + (before - x)(maa_k + offset_k).

    Args:
        x: (B, T, C).
        last: (B, C), the input before the first token.
        maa: (K, C).
        offsets: (K, B, T, C).
    """
    dtype = products_dtype(x)
    if x.dtype == torch.float32 and cpu_train.supports_elementwise(x, dtype):
        return cpu_train.token_shift(x, last, maa, None if offsets is None else offsets.to(dtype), dtype)
    delta = torch.cat([last[:, None], x[:, :-1]], dim=1) - x
    shares = maa[:, None, None] if offsets is None else offsets + maa[:, None, None]
    return torch.addcmul(x, delta, shares).unbind()


def gated_norm(y: Tensor, gate: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Return the norm of each head of y (B, T, H, N), times silu(gate), (B, T, C)."""
    if cpu_train.supports_wkv(y) and y.dtype == torch.float32 and cpu_train.supports_elementwise(gate, gate.dtype):
        return cpu_train.gated_norm(y, gate, weight, bias, eps)
    normed = functional.group_norm(y.flatten(2).flatten(0, 1), y.shape[2], weight, bias, eps)
    return normed.view(gate.shape) * functional.silu(gate)


def squared_relu(x: Tensor) -> Tensor:
    """Return max(x, 0)² in x's dtype."""
    if cpu_train.supports_elementwise(x, x.dtype):
        return cpu_train.squared_relu(x)
    relu = torch.relu(x)
    return relu * relu  # autocast would compute square() in float32


def sigmoid_gate(gate: Tensor, value: Tensor) -> Tensor:
    """Return sigmoid(gate) · value."""
    if cpu_train.supports_elementwise(gate, gate.dtype):
        return cpu_train.sigmoid_gate(gate, value)
    return torch.sigmoid(gate) * value
