from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import StreamError
from radio.worker.pcm_ring import PcmRing

RATE = 48_000
KEPT = 480


def block(frame: int, frames: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Samples that say which frame they are, exact in 16 bits."""
    counted = (np.arange(frame, frame + frames) % 30_000 / 32_768).astype(np.float32)
    return np.stack([counted, -counted], axis=1)


@given(st.lists(st.integers(0, 3 * KEPT), max_size=20), st.integers(-1_000, 10**10))
def test_what_was_added_is_read_back(sizes: list[int], start: int) -> None:
    history = PcmRing(start, seconds=KEPT / RATE)
    end = start
    for size in sizes:
        history.add(block(end, size))
        end += size
        assert history.end == end
        assert history.start == max(start, end - KEPT)
        np.testing.assert_array_equal(history.read(history.start, 10**6), block(history.start, end - history.start))
        middle = (history.start + end) // 2
        np.testing.assert_array_equal(history.read(middle, 7), block(middle, min(7, end - middle)))


def test_what_is_not_there_yet_is_nothing() -> None:
    history = PcmRing(100)
    assert history.read(100, 50).shape == (0, 2)
    assert history.read(500, 50).shape == (0, 2)


def test_what_is_forgotten_is_refused() -> None:
    history = PcmRing(seconds=KEPT / RATE)
    history.add(block(0, KEPT + 1))
    with pytest.raises(StreamError, match="oldest kept is 1"):
        history.read(0, 1)
