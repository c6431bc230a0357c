from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import StreamError
from radio.worker.pcm_ring import PcmRing

RATE = 48_000
LENGTH = 480


def block(frame: int, frames: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return samples that encode their frame number, exact in 16 bits."""
    numbers = (np.arange(frame, frame + frames) % 30_000 / 32_768).astype(np.float32)
    return np.stack([numbers, -numbers], axis=1)


@given(st.lists(st.integers(0, 3 * LENGTH), max_size=20), st.integers(-1_000, 10**10))
def test_read_returns_the_added_samples(sizes: list[int], start: int) -> None:
    ring = PcmRing(start, seconds=LENGTH / RATE)
    end = start
    for size in sizes:
        ring.add(block(end, size))
        end += size
        assert ring.end == end
        assert ring.start == max(start, end - LENGTH)
        np.testing.assert_array_equal(ring.read(ring.start, 10**6), block(ring.start, end - ring.start))
        middle = (ring.start + end) // 2
        np.testing.assert_array_equal(ring.read(middle, 7), block(middle, min(7, end - middle)))


def test_a_rewind_replaces_later_audio() -> None:
    ring = PcmRing(seconds=LENGTH / RATE)
    ring.add(block(0, 2 * LENGTH))
    ring.rewind(2 * LENGTH - 100)
    assert (ring.start, ring.end) == (LENGTH, 2 * LENGTH - 100)
    ring.add(block(7, 150))
    assert (ring.start, ring.end) == (LENGTH + 50, 2 * LENGTH + 50)
    np.testing.assert_array_equal(
        ring.read(2 * LENGTH - 110, 20), np.concatenate([block(2 * LENGTH - 110, 10), block(7, 10)])
    )
    ring.rewind(0)
    assert ring.start == ring.end == LENGTH + 50  # overwritten audio does not come back


def test_audio_not_added_yet_reads_as_empty() -> None:
    ring = PcmRing(100)
    assert ring.read(100, 50).shape == (0, 2)
    assert ring.read(500, 50).shape == (0, 2)


def test_overwritten_audio_is_refused() -> None:
    ring = PcmRing(seconds=LENGTH / RATE)
    ring.add(block(0, LENGTH + 1))
    with pytest.raises(StreamError, match="the oldest one is 1"):
        ring.read(0, 1)
