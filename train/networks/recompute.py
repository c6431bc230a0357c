"""Gradient checkpointing: a layer keeps its input alone, and is run once more when its gradients are asked for.

Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174.
"""

from __future__ import annotations

from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from radio.errors import SettingsError


def recompute_blocks(model: nn.Module) -> None:
    """Let each of `model.blocks` forget its activations. Outputs and gradients stay the same, to the bit.

    Raises:
        SettingsError: the model is not made of blocks.
    """
    blocks = getattr(model, "blocks", None)
    if not isinstance(blocks, nn.ModuleList):
        raise SettingsError(f"checkpoint_blocks: {type(model).__name__} has no blocks to compute anew; leave it out")
    for block in blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)
