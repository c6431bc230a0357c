from __future__ import annotations

import numpy as np
import pytest

from radio.errors import ModelError
from radio.judge.distance import frechet, separability


def sample(windows: int, *, shift: float = 0.0, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (scale * random.standard_normal((windows, 8)) + shift).astype(np.float32)


def test_equal_sets_have_no_distance() -> None:
    assert frechet(sample(50), sample(50)) == pytest.approx(0, abs=1e-6)


def test_the_distance_of_shifted_and_scaled_sets_is_known() -> None:
    data = sample(500)
    assert frechet(data, data + 2) == pytest.approx(8 * 2**2, rel=1e-4)
    centered = data - data.mean(axis=0)
    expected = np.trace(np.cov(centered, rowvar=False)) * (3 - 1) ** 2
    assert frechet(centered, 3 * centered) == pytest.approx(expected, rel=1e-4)


def test_fewer_windows_than_dimensions_still_have_a_distance() -> None:
    assert 0 < frechet(sample(3), sample(4, seed=1)) < 100


def test_one_window_has_no_distance() -> None:
    with pytest.raises(ModelError, match="two windows"):
        frechet(sample(1), sample(9))


def test_similar_sets_cannot_be_told_apart_and_shifted_ones_can() -> None:
    alike = separability([sample(400)], [sample(400, seed=1)])
    assert alike == pytest.approx(0.5, abs=0.07)
    assert separability([sample(100)], [sample(100, shift=3, seed=1)]) > 0.98


def test_sets_of_different_sizes_are_balanced() -> None:
    assert separability([sample(1_000)], [sample(40, seed=1)]) == pytest.approx(0.5, abs=0.17)
    # A classifier that minds the larger set only would call everything a member of it.
    assert separability([sample(1_000)], [sample(40, shift=0.5, seed=1)]) > 0.65


def test_files_are_never_split_so_their_individual_sound_does_not_count() -> None:
    """Each file has a distinct sound. If its windows were split between the sides, the sets could be told apart."""
    random = np.random.default_rng(3)
    files = [sample(30, scale=0.1, seed=i) + 3 * random.standard_normal(8).astype(np.float32) for i in range(40)]
    assert separability(files[::2], files[1::2]) < 0.75
    assert separability([np.concatenate(files[::2])[::7]], [np.concatenate(files[1::2])[::7]]) < 1


def test_a_short_set_is_refused() -> None:
    with pytest.raises(ModelError, match="five windows"):
        separability([sample(4)], [sample(9)])
