from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from scipy import signal

from radio.audio import filters
from radio.audio.block_filters import BlockFilters
from radio.audio.filters import (
    Filters,
    SweptLowPass,
    bell_sections,
    high_pass_sections,
    low_pass_sections,
    low_shelf_sections,
)
from radio.types import MIX_BLOCK, SAMPLE_RATE
from tests.audio.pieces import in_blocks, rms_db

NOISE = np.random.default_rng(2).standard_normal((2, 10 * MIX_BLOCK))


def sine(hertz: float, seconds: float = 0.5) -> np.ndarray:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.stack((np.sin(2 * np.pi * hertz * t), np.cos(2 * np.pi * hertz * t)))


def gain_db(filters: Filters, hertz: float) -> float:
    tone = sine(hertz)
    return rms_db(in_blocks(filters.process, tone)[:, 12_000:]) - rms_db(tone[:, 12_000:])


@pytest.mark.parametrize(("hertz", "db", "within"), [(100, 0, 0.01), (2_000, -3.01, 0.02), (8_000, -25, 1.0)])
def test_low_pass_on_pure_tones(hertz: float, db: float, within: float) -> None:
    assert gain_db(Filters(low_pass_sections(2_000)), hertz) == pytest.approx(db, abs=within)


@pytest.mark.parametrize(("hertz", "db", "within"), [(4_000, 0, 0.01), (400, -3.01, 0.02), (100, -24, 0.5)])
def test_high_pass_on_pure_tones(hertz: float, db: float, within: float) -> None:
    assert gain_db(Filters(high_pass_sections(400)), hertz) == pytest.approx(db, abs=within)


@pytest.mark.parametrize(("hertz", "db", "within"), [(15, 6, 0.3), (60, 3, 0.05), (600, 0, 0.1)])
def test_low_shelf_on_pure_tones(hertz: float, db: float, within: float) -> None:
    assert gain_db(Filters(low_shelf_sections(6.0)), hertz) == pytest.approx(db, abs=within)


@pytest.mark.parametrize(("hertz", "db", "within"), [(350, -6, 0.02), (700, -2.83, 0.05), (3_500, 0, 0.15)])
def test_bell_on_pure_tones(hertz: float, db: float, within: float) -> None:
    assert gain_db(Filters(bell_sections(-6.0)), hertz) == pytest.approx(db, abs=within)


def test_a_low_pass_passes_a_constant_and_a_high_pass_removes_it() -> None:
    constant = np.ones((2, 20 * MIX_BLOCK))
    assert np.allclose(in_blocks(Filters(low_pass_sections(1_000)).process, constant)[:, -100:], 1, atol=1e-5)
    assert np.allclose(in_blocks(Filters(high_pass_sections(100)).process, constant)[:, -100:], 0, atol=1e-5)


@pytest.mark.parametrize(
    "sections",
    [
        low_pass_sections(600),
        low_pass_sections(20_000),
        high_pass_sections(10),
        high_pass_sections(40),
        low_shelf_sections(-4.0),
        bell_sections(-4.0),
        np.concatenate((high_pass_sections(180), low_pass_sections(4_500))),
        signal.butter(8, [300, 3_000], "bandpass", fs=SAMPLE_RATE, output="sos"),
    ],
)
def test_block_filtering_equals_sample_by_sample_filtering(sections: np.ndarray) -> None:
    """The error is 90 dB below the signal in single precision; double precision matches scipy."""
    expected = signal.sosfilt(sections, NOISE)
    for kind in (Filters, BlockFilters):
        single = in_blocks(kind(sections).process, NOISE)
        assert single.dtype == np.float32
        assert rms_db(single - expected) < -90
    double = BlockFilters(sections, dtype=np.float64)
    blocks = [double.process(NOISE[:, at : at + MIX_BLOCK].copy()) for at in range(0, NOISE.shape[1], MIX_BLOCK)]
    assert np.allclose(np.concatenate(blocks, axis=1), expected, atol=1e-10)


def test_parallel_filters_equal_separate_filters() -> None:
    cutoffs = (700, 3_500, 9_000)
    stacked = Filters(*map(low_pass_sections, cutoffs))
    together = in_blocks(stacked.process, np.tile(NOISE, (3, 1)))
    for row, cutoff in enumerate(cutoffs):
        alone = in_blocks(Filters(low_pass_sections(cutoff)).process, NOISE)
        assert np.allclose(together[2 * row : 2 * row + 2], alone, atol=1e-6)


def test_silence_decays_without_denormals() -> None:
    for filter_ in (Filters(low_pass_sections(200)), BlockFilters(low_pass_sections(200))):
        in_blocks(filter_.process, NOISE)
        out = in_blocks(filter_.process, np.zeros((2, 20 * SAMPLE_RATE)))
        assert np.abs(out[:, -SAMPLE_RATE:]).max() < 1e-15
        states = filter_.states if isinstance(filter_, Filters) else filter_.state
        assert np.abs(states).min() > np.finfo(np.float32).tiny


def test_filters_fall_back_to_numpy_without_the_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "effects", None)
    sections = (low_pass_sections(700), high_pass_sections(90))
    x = np.tile(NOISE, (2, 1))
    np.testing.assert_array_equal(
        in_blocks(Filters(*sections).process, x), in_blocks(BlockFilters(*sections).process, x)
    )


def test_a_swept_filter_reaches_its_target() -> None:
    swept = SweptLowPass(8_000)
    in_blocks(lambda x: swept.process(x, 500), NOISE)
    tone = in_blocks(lambda x: swept.process(x, 500), sine(2_000))
    assert rms_db(tone[:, 12_000:]) - rms_db(sine(2_000)) == pytest.approx(-24.2, abs=0.3)


@pytest.mark.parametrize("hertz", [60, 300, 2_500])
def test_a_sweep_does_not_click(hertz: float) -> None:
    tone = sine(hertz, 20 * MIX_BLOCK / SAMPLE_RATE)
    swept = SweptLowPass(10_000)
    parts = [
        swept.process(tone[:, at : at + MIX_BLOCK].astype(np.float32), 10_000 if at < 8_000 else 1_000)
        for at in range(0, tone.shape[1], MIX_BLOCK)
    ]
    bend = np.abs(np.diff(np.concatenate(parts, axis=1)[:, 1_000:].astype(np.float64), 2, axis=1))
    assert bend.max() < 1.2 * np.abs(np.diff(tone, 2, axis=1)).max() + 1e-6


def test_a_deep_copy_continues_identically() -> None:
    swept = SweptLowPass(8_000)
    in_blocks(lambda x: swept.process(x, 700), NOISE)
    copy = deepcopy(swept)
    expected = in_blocks(lambda x: swept.process(x, 900), NOISE)
    assert np.array_equal(in_blocks(lambda x: copy.process(x, 900), NOISE), expected)
