from __future__ import annotations

import numpy as np
import pytest

from radio.judge.measures import BANDS, Analyzer, measure
from tests.judge.signals import noise, tone


def test_blocks_of_any_size_give_the_same_measures() -> None:
    audio = noise(seconds=4.0)
    whole, split = measure(audio), Analyzer()
    for part in np.split(audio, [1, 2_000, 2_001, 60_000]):
        split.add(part)
    measures = split.measures()
    assert measures.loudness == pytest.approx(whole.loudness)
    assert measures.crest == pytest.approx(whole.crest)
    assert measures.side_to_middle == pytest.approx(whole.side_to_middle)
    assert measures.bands == pytest.approx(dict(whole.bands))


@pytest.mark.parametrize(("hertz", "band"), [(40, "20-60 Hz"), (350, "250-500 Hz"), (10_000, "8-16k Hz")])
def test_a_tone_is_in_its_band(hertz: float, band: str) -> None:
    measures = measure(tone(hertz))
    assert measures.bands[band] == pytest.approx(0, abs=0.01)
    assert all(level < -60 for name, level in measures.bands.items() if name != band)
    assert measures.crest == pytest.approx(3.01, abs=0.05)


def test_bands_of_white_noise_differ_by_their_widths() -> None:
    measures = measure(noise(seconds=10))
    for name, (low, high) in BANDS.items():
        assert measures.bands[name] == pytest.approx(10 * np.log10((high - low) / 15_980), abs=0.5)
    assert measures.tilt == pytest.approx(3.01, abs=0.2)
    assert measures.loudness_range < 0.5


def test_side_and_middle() -> None:
    left = tone(440)
    assert measure(left).side_to_middle < -100
    left[:, 1] = 0
    assert measure(left).side_to_middle == pytest.approx(0, abs=0.01)
    assert measure(tone(440) * np.array([1, -1], np.float32)).side_to_middle > 100


def test_loudness_over_time_and_its_deviation() -> None:
    audio = np.concatenate((tone(1_000, -20, 10), tone(1_000, -26, 10)))
    measures = measure(audio)
    assert np.ptp(measures.course[:60]) < 0.01
    assert measures.course[0] - measures.course[-1] == pytest.approx(6, abs=0.01)
    assert measures.loudness_range == pytest.approx(6, abs=0.05)
    assert measures.short_term_deviation == pytest.approx(3, abs=0.4)
    assert measures.true_peak == pytest.approx(-17, abs=0.1)
    assert measures.peak_to_loudness == measures.true_peak - measures.loudness


def test_silence_has_no_level() -> None:
    measures = measure(np.zeros((96_000, 2), np.float32))
    assert measures.loudness == measures.true_peak == -np.inf
    assert measures.loudness_range == measures.crest == measures.tilt == 0
