"""Gradient checkpointing: a layer stores only its input, and runs again in the backward pass.

Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174.
"""

from __future__ import annotations

from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from radio.errors import SettingsError


def recompute_blocks(model: nn.Module) -> None:
    """Recompute the activations of each of `model.blocks` in the backward pass. The results are bit-identical.

    Raises:
        SettingsError: The model has no blocks.
    """
    blocks = getattr(model, "blocks", None)
    if not isinstance(blocks, nn.ModuleList):
        raise SettingsError(f"checkpoint_blocks: {type(model).__name__} has no blocks to recompute; remove the setting")
    for block in blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)
