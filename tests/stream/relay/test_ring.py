from __future__ import annotations

import random

from radio.stream.chunk import Chunk
from radio.stream.relay.ring import HISTORY, Ring
from radio.types import SAMPLE_RATE

FRAMES = 3_840


def chunk(frame: int) -> Chunk:
    return Chunk(frame, FRAMES, b"", ())


def test_a_chunk_is_let_out_once_all_of_it_is_due() -> None:
    ring = Ring()
    for n in range(3):
        ring.add(chunk(n * FRAMES))
    assert not ring.advance(FRAMES - 1)
    assert (ring.edge, ring.after) == (0, 3)
    assert ring.advance(2 * FRAMES)
    assert ring.edge == 2
    assert [each.frame for each in ring.slice(0, 2)] == [0, FRAMES]
    assert not ring.advance(2 * FRAMES)


def test_it_keeps_a_minute_and_no_more() -> None:
    ring, after = Ring(), 0
    for n in range(3_000):
        ring.add(chunk(n * FRAMES))
        ring.advance(n * FRAMES)
        after = ring.after - ring.oldest
    assert HISTORY * SAMPLE_RATE / FRAMES <= after <= HISTORY * SAMPLE_RATE / FRAMES + 4


def test_what_nobody_adds_to_runs_empty() -> None:
    ring = Ring()
    ring.add(chunk(0))
    ring.advance(100 * SAMPLE_RATE)
    assert ring.oldest == ring.edge == ring.after == 1


def test_at_finds_the_first_chunk_from_a_frame_on_over_holes() -> None:
    ring, rng = Ring(), random.Random(2)
    frames, frame = [], 0
    for _ in range(200):
        frame += FRAMES if rng.random() < 0.9 else rng.randrange(FRAMES, 20_000)
        frames.append(frame)
        ring.add(chunk(frame))
    ring.advance(30 * SAMPLE_RATE)
    for _ in range(500):
        wanted = rng.randrange(frames[-1] + 10_000)
        expected = next((n for n, each in enumerate(frames) if each >= wanted), len(frames))
        assert ring.at(wanted) == max(expected, ring.oldest)
