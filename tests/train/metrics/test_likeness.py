from __future__ import annotations

import numpy as np
import pytest

from train.metrics.likeness import likeness


def generator() -> np.random.Generator:
    return np.random.default_rng(1)


def test_samples_of_one_source_are_similar() -> None:
    one, other = generator().normal(0, 1, (2, 300))
    similarity = likeness(one, other, generator())
    assert similarity.overlap > 0.95
    assert similarity.divergence < 0.01


def test_similarity_falls_with_distance() -> None:
    real, other = generator().normal(0, 1, (2, 300))
    overlaps = [likeness(real, other + shift, generator()).overlap for shift in (0, 1, 2, 4, 8)]
    assert overlaps == sorted(overlaps, reverse=True)
    assert overlaps[-1] < 0.05


def test_a_collapse_to_one_value_is_not_similar() -> None:
    real = generator().normal(0, 1, 300)
    assert likeness(real, np.full(300, real.mean()) + generator().normal(0, 0.01, 300), generator()).overlap < 0.85


@pytest.mark.parametrize(("value", "overlap"), [(1.0, 1.0), (0.5, 0.0)])
def test_constant_values_are_similar_only_if_equal(value: float, overlap: float) -> None:
    assert likeness(np.ones(20), np.full(20, value), generator()).overlap == overlap


def test_the_overlap_of_two_known_densities() -> None:
    """Distances within N(0, 1) are |N(0, √2)|, and those to N(0, 3) are |N(0, √10)|, so the overlap is known."""
    one, other = generator().normal(0, 1, (2, 400))
    far = likeness(one, other * 3, generator())
    # |N(0, √2)| against |N(0, √10)|: both densities cross at x² = ln(5) · 2.5, overlap = 1 − TV
    assert far.overlap == pytest.approx(0.554, abs=0.05)
