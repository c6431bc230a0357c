"""Conversion and crossfades of 16-bit samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from radio.errors import StreamError
from radio.types import Block


def to_s16(block: Block) -> npt.NDArray[np.int16]:
    """Convert a block to 16-bit little-endian samples, rounded to nearest and clipped at full scale.

    Raises:
        StreamError: the shape of the block is not (frames, 2).
    """
    check_shape(block)
    scaled: npt.NDArray[np.floating] = np.clip(np.rint(block * 32_768.0), -32_768, 32_767)
    return scaled.astype("<i2")


def crossfaded(before: bytes, after: bytes) -> bytes:
    """Return `before` crossfaded into `after`: stereo samples of equal length."""
    old, new = (np.frombuffer(data, "<i2").reshape(-1, 2).astype(np.float32) for data in (before, after))
    share = np.linspace(0, 1, len(new), endpoint=False, dtype=np.float32)[:, None]
    return np.rint(old + share * (new - old)).astype("<i2").tobytes()


def check_shape(block: Block) -> None:
    """Raise StreamError unless the shape of the block is (frames, 2)."""
    if block.ndim != 2 or block.shape[1] != 2:
        raise StreamError(f"the shape of a block must be (frames, 2), not {block.shape}")
