from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from pieces import SIZES, few, in_pieces, rms_db

from radio.audio.filters import Biquad, SweptLowPass, high_pass_sections, low_pass_sections
from radio.types import SAMPLE_RATE

NOISE = np.random.default_rng(2).standard_normal((2, 12_000))


def sine(hertz: float, seconds: float = 0.5) -> np.ndarray:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.stack((np.sin(2 * np.pi * hertz * t), np.cos(2 * np.pi * hertz * t)))


def gain_db(biquad: Biquad, hertz: float) -> float:
    tone = sine(hertz)
    return rms_db(biquad.process(tone)[:, 12_000:]) - rms_db(tone[:, 12_000:])


@pytest.mark.parametrize(("hertz", "db", "within"), [(100, 0, 0.01), (2_000, -3.01, 0.02), (8_000, -25, 1.0)])
def test_low_pass_on_pure_tones(hertz: float, db: float, within: float) -> None:
    assert gain_db(Biquad(low_pass_sections(2_000)), hertz) == pytest.approx(db, abs=within)


@pytest.mark.parametrize(("hertz", "db", "within"), [(4_000, 0, 0.01), (400, -3.01, 0.02), (100, -24, 0.5)])
def test_high_pass_on_pure_tones(hertz: float, db: float, within: float) -> None:
    assert gain_db(Biquad(high_pass_sections(400)), hertz) == pytest.approx(db, abs=within)


def test_low_pass_keeps_a_constant_and_high_pass_removes_it() -> None:
    constant = np.ones((2, SAMPLE_RATE))
    assert np.allclose(Biquad(low_pass_sections(1_000)).process(constant)[:, -100:], 1)
    assert np.allclose(Biquad(high_pass_sections(100)).process(constant)[:, -100:], 0, atol=1e-9)


def test_silence_stays_silent_and_never_turns_into_denormals() -> None:
    biquad = Biquad(low_pass_sections(200))
    biquad.process(NOISE)
    out = biquad.process(np.zeros((2, 20 * SAMPLE_RATE)))
    assert np.abs(out[:, -SAMPLE_RATE:]).max() < 1e-15
    assert np.abs(biquad.state).min() > np.finfo(np.float64).tiny


@few
@given(sizes=SIZES)
def test_fixed_whole_equals_split(sizes: list[int]) -> None:
    split = Biquad(low_pass_sections(900))
    parts = in_pieces(lambda x, _: split.process(x), NOISE, sizes, axis=1)
    assert np.array_equal(parts, Biquad(low_pass_sections(900)).process(NOISE))


@few
@given(sizes=SIZES)
def test_swept_whole_equals_split(sizes: list[int]) -> None:
    def run(sizes: list[int]) -> np.ndarray:
        swept = SweptLowPass(8_000)
        return in_pieces(lambda x, at: swept.process(x, at, 700), NOISE, sizes, axis=1)

    assert np.array_equal(run(sizes), run([]))


def test_a_swept_filter_arrives_where_it_was_sent() -> None:
    swept = SweptLowPass(8_000)
    swept.process(NOISE, 0, 500)
    swept.process(np.zeros((2, 48_000)), 12_000, 500)
    tone = sine(2_000)
    assert rms_db(swept.process(tone, 60_000, 500)[:, 12_000:]) - rms_db(tone) == pytest.approx(-24.2, abs=0.3)


def test_a_sweep_does_not_click() -> None:
    tone = sine(300)
    swept = SweptLowPass(10_000)
    out = np.concatenate(
        [swept.process(tone[:, at : at + 64], at, 10_000 if at < 8_000 else 1_000) for at in range(0, 24_000, 64)],
        axis=1,
    )
    bend = np.abs(np.diff(out[:, 1_000:], 2, axis=1))
    assert bend.max() < 1.2 * np.abs(np.diff(tone, 2, axis=1)).max()


def test_a_copy_goes_on_identically() -> None:
    swept = SweptLowPass(8_000)
    swept.process(NOISE, 0, 700)
    copy = deepcopy(swept)
    expected = swept.process(NOISE, 12_000, 900)
    assert np.array_equal(copy.process(NOISE, 12_000, 900), expected)
