"""Attack times and decay slopes of notes with known envelopes."""

from __future__ import annotations

import numpy as np
import pytest

from train.instruments.envelopes import attack_time, decay_slopes, envelope
from train.instruments.references import RATE, Signal


def tone(hertz: float, gain: Signal) -> Signal:
    return gain * np.sin(2 * np.pi * hertz * np.arange(len(gain)) / RATE)


def ramp(seconds: float, length: float = 1.0) -> Signal:
    return np.minimum(np.arange(round(length * RATE)) / (seconds * RATE), 1)


def falling(slope: float, seconds: float = 3.0) -> Signal:
    return 10 ** (-slope * np.arange(round(seconds * RATE)) / RATE / 20)


@pytest.mark.parametrize("hertz", [41.2, 220.0, 1318.5])
def test_a_steady_tone_has_a_steady_envelope(hertz: float) -> None:
    level = envelope(tone(hertz, np.ones(RATE)), hertz)[100:]
    assert level.max() / level.min() < 1.02


@pytest.mark.parametrize("hertz", [55.0, 220.0, 880.0])
def test_the_attack_time_is_four_fifths_of_a_linear_rise(hertz: float) -> None:
    assert attack_time(tone(hertz, ramp(0.2)), hertz) == pytest.approx(160, rel=0.06)


@pytest.mark.parametrize("rise", [0.005, 0.02])
def test_the_attack_of_a_drum_is_resolved_within_milliseconds(rise: float) -> None:
    assert attack_time(tone(2000, ramp(rise))) == pytest.approx(600 * rise, abs=1)
    assert attack_time(tone(2000, ramp(0.0001))) < 2.5


@pytest.mark.parametrize("slope", [3.0, 12.0, 30.0])
def test_a_decay_has_the_slope_of_its_envelope(slope: float) -> None:
    note = tone(220, falling(slope))
    slopes = decay_slopes(note, note, 220)
    assert slopes is not None
    assert slopes[0] == slopes[1] == pytest.approx(slope, rel=0.03)


def test_a_decay_is_measured_until_the_reference_ends() -> None:
    note = np.where(np.arange(3 * RATE) < RATE, tone(220, falling(6.0)), 0)
    slopes = decay_slopes(tone(220, falling(6.0))[:RATE], note, 220)
    assert slopes == pytest.approx((6, 6), rel=0.05)


def test_room_noise_below_the_note_does_not_slow_its_decay() -> None:
    dry = tone(220, falling(60.0))
    room = 10 ** (-50 / 20) * np.random.default_rng(1).standard_normal(len(dry))
    slopes = decay_slopes(dry + room, dry, 220)
    assert slopes is not None
    assert slopes[0] == pytest.approx(60, rel=0.06)


def test_an_instantaneous_stroke_has_no_decay() -> None:
    click = tone(220, falling(900.0))
    assert decay_slopes(click, click) is None
