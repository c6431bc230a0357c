from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from radio.errors import SettingsError
from radio.settings.config import load
from train.metrics.drift import GROWTH, HourlyFigures, _drift, hour_figures, hourly
from train.metrics.music import compose, compose_in_parts


@pytest.mark.slow
def test_music_composed_in_parts_equals_music_composed_in_one_go() -> None:
    settings = load(None).station("chill")
    whole = compose(settings, hours=0.12, seed=5)
    parts = list(compose_in_parts(settings, hours=0.12, seed=5, part=0.03))
    assert len(parts) > 1
    assert all(part.bars[0].opens_track for part in parts)
    assert [bar.events for part in parts for bar in part.bars] == [bar.events for bar in whole.bars]
    assert {place: ticks for part in parts for place, ticks in part.late.items()} == whole.late
    figures = hour_figures(whole)
    assert 0.9 < figures["chord tones"] <= 1
    assert len(figures) == 25


def test_too_few_hours_are_refused_before_composing() -> None:
    with pytest.raises(SettingsError, match="--hours: drift needs 3 hours or more, not 2"):
        hourly(load(None).station("chill"), hours=2, seeds=[1, 2])


@pytest.mark.parametrize(("slope", "drifts"), [(0.0, False), (0.02, False), (0.2, True), (-0.2, True)])
def test_a_figure_drifts_if_it_changes_more_than_by_chance_and_between_seeds(slope: float, drifts: bool) -> None:
    hours = np.random.default_rng(1).normal(64, 0.5, 24) + slope * np.arange(24)
    drift = _drift(hours.tolist(), [63.6, 64.2, 64.5])
    assert drift.drifts == drifts
    assert drift.rise == pytest.approx(23 * slope, abs=3 * drift.error)


def test_the_error_of_a_rise_is_the_standard_error_of_the_fitted_line() -> None:
    values = [1.0, 3.0, 2.0, 5.0]
    line, drift = stats.linregress(range(4), values), _drift(values, [1.0, 2.0])
    assert (drift.rise, drift.error) == pytest.approx((3 * line.slope, 3 * line.stderr))


def test_the_table_marks_drifting_figures_and_growing_memory() -> None:
    steady, rising = _drift([1.0, 1.1] * 6, [1.0, 1.2]), _drift(list(range(12)), [1.0, 1.2])
    flat = HourlyFigures(12, 2, {"steady": steady, "rising": rising}, [100.0, 110.0, *[120.0] * 10])
    text = flat.table()
    assert "| steady | 1.03 |" in text
    assert "**+11 ±" in text
    assert "| memory, MB | 120 | 120 | +0.0 | |" in text
    grown = HourlyFigures(12, 2, {}, [100.0 + GROWTH * hour for hour in range(12)])
    assert "**+64.0**" in grown.table()
