"""A station's last bars, and its textures, while the station itself cannot play."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from radio.settings.controls import LAYERS
from radio.station.fallback import FallbackStation
from radio.station.fallback_plan import LEAD, REPEAT_LIMIT, Loop, tier_at
from radio.types import SAMPLE_RATE, Block, Frames
from tests.server.tone_worker import settings

BAR: Frames = 70_001
CROSSFADE = SAMPLE_RATE // 50
LINES = tuple(1_000_000 + BAR * number for number in range(5))
END = LINES[-1] + 30_000
LOOP = Loop(LINES, END)


def music(first: Frames, end: Frames) -> Block:
    """Return a sound that differs from bar to bar, with a strike on each bar line."""
    frames = np.arange(first, end)
    bar, place = np.divmod(frames - LINES[0], BAR)
    tone = 0.3 * np.sin(2 * np.pi * (200 + 40 * bar) * frames / SAMPLE_RATE) * np.exp(-place / 20_000)
    return np.repeat(tone[:, None], 2, axis=1).astype(np.float32)


def station(tail: Frames = 0) -> FallbackStation:
    return FallbackStation(settings(), LOOP, music(LOOP.start, END + tail))


def test_a_loop_consists_of_the_last_whole_bars_with_audio() -> None:
    assert Loop.of(LINES, 0, END) == LOOP
    assert Loop.of(LINES, LINES[1], LINES[4]) == Loop(LINES[2:], LINES[4])
    assert Loop.of(LINES, LINES[1] - CROSSFADE, LINES[4] - 1) == Loop(LINES[1:4], LINES[4] - 1)
    assert Loop.of(LINES, LINES[3], END) is None
    assert Loop.of((), 0, END) is None
    many = range(0, 20 * BAR, BAR)
    assert Loop.of(many, -BAR, 20 * BAR) == Loop(tuple(many[-9:]), 20 * BAR)


def test_bars_continue_at_the_same_place_in_the_bar_and_repeat() -> None:
    played = station().render(LEAD + 9 * BAR)[LEAD:]
    expected = music(LINES[0], LINES[-1])
    place = END - LINES[-1]
    exact = np.roll(np.concatenate([expected] * 3), -place, axis=0)[: len(played)]
    differs = np.abs(played - exact).max(axis=1) > 1e-6
    joints = [start for start in np.flatnonzero(differs) if start == 0 or not differs[start - 1]]
    assert differs.sum() <= 3 * CROSSFADE
    assert all((start + CROSSFADE + place) % (4 * BAR) < CROSSFADE for start in joints if start)


def test_samples_do_not_depend_on_block_sizes() -> None:
    one, other = station(500), station(500)
    whole = one.render(LEAD + 100_000)
    split = np.concatenate([other.render(frames) for frames in (1, LEAD - 2, 700, 0, LEAD + 99_301 - LEAD)])
    np.testing.assert_array_equal(whole[: len(split)], split)


@pytest.mark.parametrize("tail", [0, 300, CROSSFADE, 5_000])
def test_there_is_no_click_where_the_music_ended_or_the_bars_repeat(tail: Frames) -> None:
    sound = np.concatenate([music(END - SAMPLE_RATE, END - LEAD), station(tail).render(LEAD + 4 * BAR)])
    largest = np.abs(np.diff(music(LINES[0] + 1, LINES[1]), axis=0)).max()
    steps = np.abs(np.diff(sound, axis=0)).max(axis=1)
    joint = SAMPLE_RATE - 1
    assert steps[joint - 5 : joint + CROSSFADE + 5].max() < 2 * largest
    again = joint + BAR * 4 - (END - LINES[-1])
    assert steps[again - CROSSFADE : again].max() < 2 * largest


def test_bar_lines_are_those_of_the_repeated_bars() -> None:
    first = LOOP.next_line(0)
    assert first == BAR - 30_000
    lines = [LOOP.next_line(played) for played in range(0, 12 * BAR, 1_000)]
    assert {line - first for line in lines} == {BAR * number for number in range(13)}
    assert all(0 <= line - played < BAR for line, played in zip(lines, range(0, 12 * BAR, 1_000), strict=True))


def level(block: Block) -> float:
    return float(10 * np.log10((block**2).mean() + 1e-12))


def test_the_bars_fade_into_textures() -> None:
    fading = station()
    fading.position = REPEAT_LIMIT - SAMPLE_RATE
    fading.render(2 * SAMPLE_RATE)
    assert level(fading.render(SAMPLE_RATE)) > -40
    assert tier_at(LOOP, REPEAT_LIMIT - 1) == "repeat"
    assert tier_at(LOOP, REPEAT_LIMIT) == tier_at(None, 0) == "texture"


@pytest.mark.parametrize("controls", [{}, {"rain_mute": True, "vinyl_mute": True, "ambience_mute": True}])
def test_textures_without_bars_are_audible_even_if_they_are_muted(controls: Mapping[str, object]) -> None:
    plain = settings()
    alone = FallbackStation(settings(controls=plain.controls.changed(controls)), None, np.zeros((0, 2), np.float32))
    seconds = [level(alone.render(SAMPLE_RATE)) for _ in range(10)]
    assert all(-40 < one < -15 for one in seconds[1:])


def test_a_station_with_all_layers_muted_stays_silent() -> None:
    silent = settings().controls.changed({f"{layer}_mute": True for layer in LAYERS})
    alone = FallbackStation(settings(controls=silent), None, np.zeros((0, 2), np.float32))
    assert level(alone.render(SAMPLE_RATE)) < -100
