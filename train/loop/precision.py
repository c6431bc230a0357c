"""The number format of matrix products in training."""

from __future__ import annotations

from functools import cache

import torch


def product_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the number format of matrix products.

    Args:
        precision: The recipe's, `32-true` or `bf16-mixed`.
        device: The device that the model is trained on.

    Returns:
        bfloat16 if the recipe asks for it and the device supports it in hardware, otherwise float32. PyTorch emulates
        bfloat16 on other processors, at a twentieth of the speed of float32.
    """
    is_mixed = precision == "bf16-mixed"
    native = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else cpu_has_bfloat16()
    return torch.bfloat16 if is_mixed and native else torch.float32


@cache
def cpu_has_bfloat16() -> bool:
    """Return True if the processor multiplies bfloat16 in hardware."""
    features = torch.cpu.get_capabilities()
    if features["architecture"] == "x86_64":
        return bool(features["avx512_bf16"] or features["amx_bf16"])
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
