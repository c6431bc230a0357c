"""Helpers for audio tests: parts of random sizes, processing block by block, and levels of recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from radio.audio.loudness import Meter
from radio.types import MIX_BLOCK, Block

SIZES = st.lists(st.one_of(st.integers(0, 200), st.sampled_from([64, 480, 960, 1259, 4800])), min_size=1, max_size=40)
few = settings(
    max_examples=max(6, settings.default.max_examples // 4),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

Array = npt.NDArray[np.generic]


def bounds(sizes: Sequence[int], frames: int) -> list[int]:
    """Return the boundaries of parts with these sizes; the last part ends at `frames`."""
    return [*[cut for cut in np.cumsum([0, *sizes]).tolist() if cut < frames], frames]


def in_blocks(process: Callable[[Array], Array], x: Array) -> Array:
    """Apply `process` to (channels, frames) block by block; the last block is padded with silence."""
    padded = np.pad(x, ((0, 0), (0, -x.shape[1] % MIX_BLOCK))).astype(np.float32)
    blocks = [process(padded[:, at : at + MIX_BLOCK]) for at in range(0, padded.shape[1], MIX_BLOCK)]
    return np.concatenate(blocks, axis=1)[:, : x.shape[1]]


def rms_db(x: Array) -> float:
    return float(10 * np.log10(np.square(x.astype(np.float64)).mean()))


def integrated_loudness(block: Block) -> float:
    """Return the gated loudness of a recording, (frames, 2) float32 at 48 kHz."""
    meter = Meter()
    meter.add(block)
    return meter.integrated


def true_peak(block: Block) -> float:
    """Return the true peak of a recording, (frames, 2) float32 at 48 kHz."""
    meter = Meter()
    meter.add(block)
    return meter.true_peak
