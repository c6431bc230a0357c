"""Figures of a mix that follow from the construction of its sound."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from radio.errors import SettingsError, StreamError
from radio.settings.config import load
from radio.station.audio_files import to_pcm
from radio.types import SAMPLE_RATE, Block
from train.metrics.mix.levels import level_figures
from train.metrics.mix.references import RANGES
from train.metrics.mix.rhythm import rhythm_figures
from train.metrics.mix.spectrum import spectrum_figures
from train.metrics.mix.table import GOALS, Mix, measure, measure_file, measure_station, table

GENERATOR = np.random.default_rng(5)
SECONDS = 22
TIME = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
NOISE = GENERATOR.standard_normal((len(TIME), 2)) * 0.1


def stereo(left: np.ndarray, right: np.ndarray | None = None) -> Block:
    return np.stack((left, left if right is None else right), axis=1).astype(np.float32)


def sloped(decibels_per_octave: float) -> Block:
    """Return noise whose power density changes by this many decibels per octave."""
    spectrum = np.fft.rfft(NOISE[:, 0])
    hertz = np.maximum(np.fft.rfftfreq(len(TIME), 1 / SAMPLE_RATE), 20)
    shaped = np.fft.irfft(spectrum * (hertz / 1_000) ** (decibels_per_octave / 6.02), len(TIME))
    return stereo(0.1 * shaped / shaped.std())


def beats(period: float, hertz: float, decay: float) -> np.ndarray:
    after = TIME % period
    return np.asarray(np.exp(-after / decay) * np.sin(2 * np.pi * hertz * after))


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """The measures of a file."""
    path = tmp_path_factory.mktemp("mix") / "pink.wav"
    write(path, sloped(-3))
    (measured,) = measure_file(path).passages
    return dict(measured)


def write(path: Path, sound: Block) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(to_pcm(sound))


@pytest.mark.slow
def test_every_measure_of_the_references_is_measured() -> None:
    loop = np.tile(NOISE[: 8 * SAMPLE_RATE, 0], 8)[: 60 * SAMPLE_RATE]
    kicks = 0.5 * np.exp(-(np.arange(len(loop)) / SAMPLE_RATE % 0.75) / 0.1)
    loop += kicks * np.sin(2 * np.pi * 60 * np.arange(len(loop)) / SAMPLE_RATE)
    assert set(RANGES) == set(measure(stereo(loop)))


def test_a_sine_has_a_crest_factor_of_three_decibels_and_no_loudness_range() -> None:
    figures = level_figures(stereo(0.5 * np.sin(2 * np.pi * 997 * TIME)))
    assert figures["crest"] == pytest.approx(3.01, abs=0.01)
    assert figures["lufs"] == pytest.approx(-6.02, abs=0.1)
    assert figures["lra"] < 0.05
    assert figures["floor_p5_re_rms_db"] == pytest.approx(0, abs=0.1)


def test_the_loudness_range_is_the_difference_of_a_loud_and_a_soft_half() -> None:
    soft = np.where(TIME < SECONDS / 2, 1.0, 10 ** (-6 / 20))
    figures = level_figures(stereo(NOISE[:, 0] * soft))
    assert figures["lra"] == pytest.approx(6, abs=0.4)
    assert figures["short_term_sd"] == pytest.approx(3, abs=0.4)


@pytest.mark.parametrize("slope", [-6.0, -3.0])
def test_the_tilt_is_the_slope_of_third_octaves(slope: float) -> None:
    """Third octaves get wider with frequency, which adds 3 dB per octave."""
    assert spectrum_figures(sloped(slope))["tilt_db_per_octave"] == pytest.approx(slope + 3.01, abs=0.2)


def test_a_tone_is_counted_in_its_band() -> None:
    figures = spectrum_figures(stereo(np.sin(2 * np.pi * 90 * TIME)))
    assert figures["band low 60-120"] == pytest.approx(0, abs=0.1)
    assert figures["band 250-500"] < -40
    assert figures["centroid_power"] == pytest.approx(90, abs=3)


def test_the_side_is_half_the_difference_of_the_channels() -> None:
    middle, side = NOISE.T
    figures = spectrum_figures(stereo(middle + 0.5 * side, middle - 0.5 * side))
    assert figures["side_mid_db"] == pytest.approx(-6.02, abs=0.1)
    assert figures["side_mid_mid_db"] == pytest.approx(-6.02, abs=0.5)


def test_clicks_are_percussive_and_tones_are_not() -> None:
    part = slice(8 * SAMPLE_RATE)
    tones, clicks = stereo(np.sin(2 * np.pi * 440 * TIME[part])), stereo(beats(0.5, 4_000, 0.002)[part])
    assert rhythm_figures(tones)["percussive_db"] < -20
    assert rhythm_figures(clicks)["percussive_db"] > -1.5


@pytest.mark.slow
def test_the_tempo_and_onsets_of_clicks_are_measured() -> None:
    figures = rhythm_figures(stereo(beats(60 / 72, 3_000, 0.01)))
    assert figures["tempo"] == pytest.approx(72, rel=0.03)
    assert figures["onsets_per_s"] == pytest.approx(72 / 60, rel=0.1)


@pytest.mark.slow
def test_a_loop_is_detected_at_its_length() -> None:
    levels = np.repeat(GENERATOR.uniform(0.05, 1, 64), SAMPLE_RATE // 8)
    loop = np.tile(levels, 8) * GENERATOR.standard_normal(8 * len(levels))
    figures = rhythm_figures(stereo(0.1 * loop))
    assert figures["loop_best_lag_s"] % 8 == pytest.approx(0, abs=0.1)
    assert figures["loop_best"] > 0.5


@pytest.mark.slow
def test_a_dip_after_each_kick_is_measured() -> None:
    kicks = beats(0.75, 60, 0.1)
    steady, dipped = (
        rhythm_figures(stereo(0.5 * kicks + 0.2 * gain * np.sin(2 * np.pi * 800 * TIME)))["pump_dip_db"]
        for gain in (1.0, 1 - 0.5 * np.exp(-(TIME % 0.75) / 0.15))
    )
    assert abs(steady) < 0.5
    assert dipped < steady - 1.5


def test_a_figure_outside_its_goal_is_bold(figures: dict[str, float]) -> None:
    wrong = {**figures, "lra": 9.0, "crest": 14.0}
    mix = Mix("pink", frozenset({"keys", "bass", "drums"}), [wrong])
    assert "lra" in mix.missed()
    assert "crest" not in mix.missed()
    assert "| lra | 1.89 to 10.4 | 3 to 6 | **9.0** |" in table([mix])


def test_drum_rows_do_not_apply_without_drums(figures: dict[str, float]) -> None:
    mix = Mix("pads", frozenset({"keys"}), [{**figures, "percussive_db": -40.0, "band sub 20-60": -50.0}])
    assert {"percussive_db", "band sub 20-60"}.isdisjoint(mix.missed())
    assert mix.figure("percussive_db") is None
    assert set(GOALS) <= set(RANGES)


def test_a_file_is_measured_but_a_short_one_is_refused(figures: dict[str, float], tmp_path: Path) -> None:
    assert figures["tilt_db_per_octave"] == pytest.approx(0, abs=0.2)
    write(tmp_path / "3.wav", sloped(-3)[: 3 * SAMPLE_RATE])
    with pytest.raises(StreamError, match=r"lasts 3\.0 s; at least 20 s are needed"):
        measure_file(tmp_path / "3.wav")


def test_silence_and_a_short_render_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "silent.wav", np.zeros((20 * SAMPLE_RATE, 2), np.float32))
    with pytest.raises(StreamError, match=r"silent\.wav: a passage is silent: nothing in it is louder than -70 LUFS"):
        measure_file(tmp_path / "silent.wav")
    with pytest.raises(SettingsError, match=r"--minutes: 0\.5 is too short; at least 0\.6 are needed"):
        measure_station(load(None).station("chill"), minutes=0.5, seeds=[1])
