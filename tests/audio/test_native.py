"""The compiled effects against their references in numpy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from radio.audio import delay_line, room
from radio.audio.delay_line import read, read_in_numpy
from radio.audio.filters import low_pass_sections
from radio.audio.native import effects
from radio.audio.room import Room
from radio.types import MIX_BLOCK
from tests.audio.pieces import few


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_the_extension_was_compiled() -> None:
    """Without the extension the tests below would compare numpy with itself."""
    assert effects is not None


@few
@given(st.integers(0, 99), st.integers(1, 300), st.integers(1, 3), st.booleans())
def test_reading_a_delay_line_gives_the_same_samples(seed: int, count: int, channels: int, bounded: bool) -> None:
    random, line = np.random.default_rng(seed), noise(seed, channels, 400)
    places = random.uniform(10, 396, count)
    places[:: 1 + count // 3] = np.floor(places[:: 1 + count // 3])
    latest = np.minimum(np.ceil(places).astype(np.intp) + random.integers(0, 4, count), 399) if bounded else None
    np.testing.assert_array_equal(read(line, places, latest), read_in_numpy(line, places, latest))


@pytest.mark.parametrize("place", [1.9, -1.0, 97.0, 1e18, np.nan])
def test_a_place_outside_the_line_is_an_error(place: float) -> None:
    with pytest.raises(ValueError, match="two frames of the line before it and three after it"):
        read(noise(1, 2, 100), np.array([50.0, place]))


@pytest.mark.parametrize("latest", [np.zeros(2, np.intp), np.full(3, 4, np.intp)])
def test_limits_that_do_not_fit_are_an_error(latest: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"place needs|do not agree"):
        read(noise(1, 1, 100), np.array([50.0, 51.0]), latest)


def test_a_room_sounds_the_same_as_in_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(2, 2, 20 * MIX_BLOCK)
    x[:, 5 * MIX_BLOCK :] = 0
    blocks = [x[:, at : at + MIX_BLOCK] for at in range(0, x.shape[1], MIX_BLOCK)]
    compiled = Room(0.9)
    sound = np.concatenate([compiled.process(block) for block in blocks], axis=1)
    monkeypatch.setattr(room, "effects", None)
    reference = Room(0.9)
    expected = np.concatenate([reference.process(block) for block in blocks], axis=1)
    np.testing.assert_allclose(sound, expected, atol=1e-5)
    assert np.abs(expected[:, -4 * MIX_BLOCK :]).max() > 1e-5, "the tail is still audible"


@pytest.mark.parametrize(("rows", "sections"), [(1, 1), (2, 2), (4, 1), (5, 3), (8, 2)])
def test_filtering_does_not_depend_on_the_number_of_rows_or_the_block_length(rows: int, sections: int) -> None:
    of_rows = np.stack([np.concatenate([low_pass_sections(300 * (r + 1))] * sections) for r in range(rows)])
    coefficients = np.ascontiguousarray(of_rows[:, :, [0, 1, 2, 4, 5]])
    x, y = noise(4, rows, 1_000), np.empty((rows, 1_000), np.float32)
    effects.filter(x, y, coefficients, np.zeros((rows, sections, 2)), rows)
    for row in range(rows):
        np.testing.assert_allclose(y[row], signal.sosfilt(of_rows[row], x[row]), atol=1e-6)
        parts, states = [], np.zeros((1, sections, 2))
        for first, last in pairwise([0, 1, 64, 65, 500, 1_000]):
            parts.append(np.empty((1, last - first), np.float32))
            effects.filter(x[row, first:last].copy(), parts[-1], coefficients[row].copy(), states, 1)
        np.testing.assert_allclose(np.concatenate(parts, axis=1)[0], y[row], atol=1e-9)


def test_filter_sizes_are_checked() -> None:
    x, coefficients, states = np.zeros((2, 100), np.float32), np.zeros((2, 1, 5)), np.zeros((2, 1, 2))
    effects.filter(x, x.copy(), coefficients, states, 2)
    for changed in (
        (x, x[:1].copy(), coefficients, states, 2),
        (x, x.copy(), coefficients[:1].copy(), states, 2),
        (x, x.copy(), coefficients, states[:1].copy(), 2),
        (x, x.copy(), coefficients, states, 0),
        (x, x.copy(), coefficients, states, -1),
        (x, x.copy(), np.zeros((2, 17, 5)), np.zeros((2, 17, 2)), 2),
        (x[:, :99].copy(), x[:, :99].copy(), coefficients, states, 4),
    ):
        with pytest.raises(ValueError, match=r"1 to 16 sections|do not agree"):
            effects.filter(*changed)


def test_room_sizes_are_checked() -> None:
    lines, delays, shares = np.zeros((8, 3_000), np.float32), np.full(8, 1_000, np.int32), np.zeros(8, np.float32)
    powers, mono, y = np.zeros(3, np.float32), np.zeros(1_920, np.float32), np.zeros((2, 1_920), np.float32)
    effects.room(lines, delays, shares, shares, powers, mono, y)
    for changed in (
        (lines[:7].copy(), delays, shares, shares, powers, mono, y),
        (lines, delays[:7].copy(), shares, shares, powers, mono, y),
        (lines, delays - 50, shares, shares, powers, mono, y),
        (lines, delays + 90, shares, shares, powers, mono, y),
        (lines, delays, shares, shares, powers[:2].copy(), mono, y),
        (lines, delays, shares, shares, powers, mono[:960].copy(), y),
    ):
        with pytest.raises(ValueError, match=r"a room has|do not agree|a delay is"):
            effects.room(*changed)


def test_effects_fall_back_to_numpy_without_the_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delay_line, "effects", None)
    line, places = noise(3, 2, 100), np.linspace(5, 90, 200)
    np.testing.assert_array_equal(read(line, places), read_in_numpy(line, places))
