"""Tests of the sound of scores: the same as the station's, with endings, fades and loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radio.paths import STATIONS
from radio.settings.config import load
from radio.station import score_audio
from radio.station.extent import BarLoop, TimedExcerpt, WholeTracks
from radio.station.factory import open_station
from radio.station.score import SILENT_END, Score, compose
from radio.station.score_audio import fade_gain, play
from radio.types import MIX_BLOCK, SAMPLE_RATE, Block, Frames

CHILL = load(STATIONS).station("chill")
SEED = 8
MARGIN = 2 * MIX_BLOCK
"""Time before a bar line in which the next bar is already heard: early notes, and the mix that moves to its levels."""


def audio_of(score: Score) -> Block:
    audio = np.concatenate(list(play(score)))
    assert audio.shape == (score.frames, 2)
    assert np.isfinite(audio).all()
    return audio


def station_audio(frames: Frames) -> Block:
    station = open_station(CHILL, seed=SEED)
    try:
        return station.render(frames)
    finally:
        station.close()


def level(audio: Block) -> float:
    """Return the level in dB."""
    return 10 * float(np.log10(np.mean(audio.astype(float) ** 2) + 1e-20))


def loudest(audio: Block) -> float:
    """Return the level of the loudest second in dB."""
    return max(level(audio[at : at + SAMPLE_RATE]) for at in range(0, len(audio) - SAMPLE_RATE, SAMPLE_RATE // 4))


@pytest.mark.slow
def test_a_track_sounds_as_on_the_station_and_ends_in_silence() -> None:
    score = compose(CHILL, SEED, WholeTracks())
    audio = audio_of(score)
    assert score.fade is not None
    end = score.fade[0] - MARGIN
    np.testing.assert_array_equal(audio[:end], station_audio(end))
    assert level(audio[-SAMPLE_RATE:]) < loudest(audio) - 40
    assert level(audio[: 2 * SAMPLE_RATE]) > loudest(audio) - 40  # the intro begins immediately


@pytest.mark.slow
def test_two_tracks_sound_as_on_the_station_up_to_the_tail() -> None:
    score = compose(CHILL, SEED, WholeTracks(2))
    audio = audio_of(score)
    assert score.fade is not None
    end = score.fade[0] - MARGIN
    np.testing.assert_array_equal(audio[:end], station_audio(end))
    assert level(audio[-SAMPLE_RATE:]) < loudest(audio) - 40


@pytest.mark.slow
@pytest.mark.parametrize("name", list(load(STATIONS).stations))
def test_a_track_of_every_station_ends_in_silence(name: str) -> None:
    audio = audio_of(compose(load(STATIONS).station(name), 3, WholeTracks()))
    assert level(audio[-SAMPLE_RATE:]) < loudest(audio) - 40


@pytest.mark.slow
def test_an_excerpt_sounds_as_on_the_station_and_fades() -> None:
    score = compose(CHILL, SEED, TimedExcerpt(25))
    audio = audio_of(score)
    assert score.fade is not None
    begin, end = score.fade
    on_air = station_audio(score.frames)
    np.testing.assert_array_equal(audio[:begin], on_air[:begin])
    np.testing.assert_array_equal(audio[begin:end], (on_air * fade_gain(0, len(on_air), score.fade))[begin:end])
    assert not audio[-SILENT_END:].any()
    assert SILENT_END >= SAMPLE_RATE // 10


def test_a_fade_is_monotonic() -> None:
    gain = fade_gain(0, 1_000, (200, 900))[:, 0]
    assert (gain[:201] == 1).all()
    assert (gain[900:] == 0).all()
    assert (np.diff(gain) <= 0).all()
    assert (np.diff(gain[200:900]) < 0).all()
    np.testing.assert_array_equal(
        np.concatenate([fade_gain(0, 333, (200, 900)), fade_gain(333, 1_000, (200, 900))])[:, 0], gain
    )


@pytest.fixture(scope="module")
def loop() -> tuple[Score, Block]:
    score = compose(CHILL, SEED, BarLoop(4))
    return score, audio_of(score)


@pytest.mark.slow
def test_a_repeated_loop_has_no_click(loop: tuple[Score, Block]) -> None:
    """A click is a jump of the signal, or of its slope, larger than any in the music."""
    _, audio = loop
    twice = np.concatenate([audio, audio]).astype(float)
    for order in (1, 2, 3):
        jumps = np.abs(np.diff(twice, n=order, axis=0)).max(axis=1)
        joint = jumps[len(audio) - 8 : len(audio) + 8].max()
        assert joint <= np.quantile(jumps, 0.99)


@pytest.mark.slow
def test_a_loop_begins_with_the_sound_that_rings_past_its_end(loop: tuple[Score, Block]) -> None:
    """Compared with the same bars played once, the start rings, and later the sound is the same."""
    _, audio = loop
    quarter = len(audio) // 4
    controls = CHILL.controls.changed({"vinyl_mute": True, "rain_mute": True, "ambience_mute": True, "wow": 0.0})
    quiet = replace(CHILL, controls=controls, tone=replace(CHILL.tone, loudness=0))
    score = compose(quiet, SEED, BarLoop(4))
    ringing, fresh = audio_of(score), audio_of(replace(score, fade=(score.frames, score.frames)))
    assert level(ringing[:64]) > level(fresh[:64]) + 20
    # Later both play the same, up to the rounding of frames to the synthesizer's grid.
    assert abs(level(ringing[quarter:]) - level(fresh[quarter:])) < 0.3


@pytest.mark.parametrize("size", [7, 1_024, 5_000, 100_000])
def test_the_end_of_a_loop_fades_into_the_sound_before_its_start(size: int) -> None:
    joint = score_audio._JOINT
    frames = 9_000
    rendered = np.repeat(np.arange(joint + frames, dtype=np.float32)[:, None], 2, axis=1)
    blocks = (rendered[at : at + size] for at in range(0, len(rendered), size))
    joined = np.concatenate(list(score_audio._joined(blocks, frames)))
    np.testing.assert_array_equal(joined[:-joint], rendered[joint:-joint])
    np.testing.assert_allclose(joined[-1], rendered[joint - 1])
    np.testing.assert_allclose(joined[-joint], rendered[-joint])
    assert len(joined) == frames


@pytest.mark.slow
def test_the_same_score_has_the_same_samples(loop: tuple[Score, Block]) -> None:
    np.testing.assert_array_equal(audio_of(compose(CHILL, SEED, BarLoop(4))), loop[1])
