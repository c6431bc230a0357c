"""The ambience of a station: its own mix, a listener's choice, and the crossfade between them."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

import numpy as np
from hypothesis import given

from radio.audio.ambience.mix import SOUNDS, Ambience
from radio.settings.ambience import STATION, AmbienceLevels
from radio.types import SAMPLE_RATE
from tests.audio.pieces import SIZES, bounds, few, rms_db

LEVELS = {"waves": 0.0, "wind": -6.0}
FADE = 2 * SAMPLE_RATE


def ambience(choice: str = STATION) -> Ambience:
    made = Ambience(LEVELS, 3)
    made.choose(choice)
    return made


def solo(name: str, frames: int, position: int = 0, level: float = 0.0) -> np.ndarray:
    kind, trim = SOUNDS[name]
    sound = kind(3)
    sound.position = position
    return sound.render(frames) * np.float32(10 ** ((trim + level) / 20))


def test_the_stations_mix_is_the_sum_of_its_sounds() -> None:
    both = solo("waves", SAMPLE_RATE) + solo("wind", SAMPLE_RATE, level=-6)
    np.testing.assert_allclose(ambience().render(SAMPLE_RATE), both, atol=1e-6)


@few
@given(sizes=SIZES)
def test_a_crossfade_does_not_depend_on_block_sizes(sizes: list[int]) -> None:
    whole = ambience()
    whole.render(1_000)
    whole.choose("fire")
    split, cuts = deepcopy(whole), bounds(sizes, SAMPLE_RATE)
    parts = [split.render(b - a) for a, b in pairwise(cuts)]
    np.testing.assert_allclose(np.concatenate(parts), whole.render(SAMPLE_RATE), atol=1e-7)


def test_a_chosen_sound_replaces_the_mix() -> None:
    mix = ambience()
    mix.render(SAMPLE_RATE)
    mix.choose("fire")
    mix.render(FADE)
    np.testing.assert_array_equal(mix.render(4_800), solo("fire", 4_800, SAMPLE_RATE + FADE))
    mix.choose(STATION)
    mix.render(FADE)
    both = solo("waves", 4_800, SAMPLE_RATE + 2 * FADE + 4_800)
    both += solo("wind", 4_800, SAMPLE_RATE + 2 * FADE + 4_800, level=-6)
    np.testing.assert_allclose(mix.render(4_800), both, atol=1e-6)


def test_a_crossfade_does_not_click_and_keeps_the_level() -> None:
    mix = ambience("brown_noise")
    mix.render(SAMPLE_RATE)
    mix.choose("tape")
    faded = mix.render(FADE)
    levels = [rms_db(part) for part in np.split(faded, 10)]
    assert max(abs(np.diff(levels))) < 6
    loudest = max(np.abs(np.diff(solo(name, FADE), 2, axis=0)).max() for name in ("brown_noise", "tape"))
    assert np.abs(np.diff(faded, 2, axis=0)).max() < 2 * loudest


def test_a_station_without_ambience_is_silent_until_a_sound_is_chosen() -> None:
    mix = Ambience(AmbienceLevels().audible(), 3)
    mix.choose(STATION)
    assert not mix.render(SAMPLE_RATE).any()
    mix.choose("birds")
    assert mix.render(SAMPLE_RATE).any()


def test_skipping_ends_a_fade_and_keeps_the_position() -> None:
    mix = ambience()
    mix.render(1_000)
    mix.choose("fire")
    mix.skip(7_000)
    np.testing.assert_array_equal(mix.render(4_800), solo("fire", 4_800, 8_000))
