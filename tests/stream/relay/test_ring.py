from __future__ import annotations

import random

from radio.stream.chunk import Chunk
from radio.stream.relay.ring import HISTORY, Ring
from radio.types import SAMPLE_RATE

FRAMES = 3_840


def chunk(frame: int) -> Chunk:
    return Chunk(frame, FRAMES, b"", ())


def test_a_chunk_is_released_once_it_is_entirely_due() -> None:
    ring = Ring()
    for n in range(3):
        ring.add(chunk(n * FRAMES))
    assert not ring.advance(FRAMES - 1)
    assert (ring.edge, ring.next_number) == (0, 3)
    assert ring.advance(2 * FRAMES)
    assert ring.edge == 2
    assert [chunk.frame for chunk in ring.slice(0, 2)] == [0, FRAMES]
    assert not ring.advance(2 * FRAMES)


def test_the_ring_keeps_one_minute() -> None:
    ring, length = Ring(), 0
    for n in range(3_000):
        ring.add(chunk(n * FRAMES))
        ring.advance(n * FRAMES)
        length = ring.next_number - ring.oldest
    assert HISTORY * SAMPLE_RATE / FRAMES <= length <= HISTORY * SAMPLE_RATE / FRAMES + 4


def test_a_ring_without_new_chunks_becomes_empty() -> None:
    ring = Ring()
    ring.add(chunk(0))
    ring.advance(100 * SAMPLE_RATE)
    assert ring.oldest == ring.edge == ring.next_number == 1


def test_find_returns_the_first_chunk_at_or_after_a_frame_despite_gaps() -> None:
    ring, rng = Ring(), random.Random(2)
    frames, frame = [], 0
    for _ in range(200):
        frame += FRAMES if rng.random() < 0.9 else rng.randrange(FRAMES, 20_000)
        frames.append(frame)
        ring.add(chunk(frame))
    ring.advance(30 * SAMPLE_RATE)
    for _ in range(500):
        frame_sought = rng.randrange(frames[-1] + 10_000)
        expected = next((n for n, start in enumerate(frames) if start >= frame_sought), len(frames))
        assert ring.find(frame_sought) == max(expected, ring.oldest)
