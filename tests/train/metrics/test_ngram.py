from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from train.metrics.ngram import NGram


def written_out(pieces: list[list[int]], piece: list[int], vocabulary: int, order: int) -> list[float]:
    """Compute the Witten–Bell formula directly, with dictionaries."""
    counts: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for seen in pieces:
        for place, token in enumerate(seen):
            for length in range(min(order, place + 1)):
                counts[tuple(seen[place - length : place])][token] += 1
    result = []
    for place, token in enumerate(piece):
        p = 1 / vocabulary
        for length in range(min(order, place + 1)):
            followed = counts.get(tuple(piece[place - length : place]))
            if followed:
                total, kinds = sum(followed.values()), len(followed)
                p = (followed[token] + kinds * p) / (total + kinds)
        result.append(-math.log(p))
    return result


def test_the_bits_follow_the_witten_bell_formula() -> None:
    generator = np.random.default_rng(0)
    pieces = [generator.integers(0, 6, size=size).tolist() for size in (50, 3, 80, 1)]
    held_out = generator.integers(0, 6, size=40).tolist()
    sampled = np.array([True, True, False, True, True, True])
    expected = written_out(pieces, held_out, 6, 5)
    nats, count = NGram([np.array(piece) for piece in pieces], 6).nats(np.array(held_out), sampled)
    places = [place for place, token in enumerate(held_out) if place and sampled[token]]
    assert count == len(places)
    assert nats == pytest.approx(sum(expected[place] for place in places))
    shorter = written_out(pieces, held_out, 6, 2)
    nats, _ = NGram([np.array(piece) for piece in pieces], 6).nats(np.array(held_out), sampled, order=2)
    assert nats == pytest.approx(sum(shorter[place] for place in places))


def test_a_pattern_seen_before_costs_few_bits() -> None:
    loop = np.tile([0, 1, 2, 3], 500)
    assert NGram([loop], 50).bits([loop[:100]], np.ones(50, bool)) < 0.05
    noise = np.random.default_rng(1).integers(0, 50, 2000)
    assert NGram([noise], 50).bits([np.random.default_rng(2).integers(0, 50, 500)], np.ones(50, bool)) > 5
