from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.compose.drum_timing import ANY, KINDS, PLACES, STEADY, Timing
from radio.errors import SettingsError
from tests.train.corpora import groove
from train.metrics.microtiming import (
    LOFI,
    TimedGroove,
    covariances,
    fit_timings,
    limb_correlation,
    overlap,
    replay,
    table,
    timed_grooves,
)

LATE = {kind: [4.0 * number - 8 + place % 3 for place in range(len(PLACES))] for number, kind in enumerate(KINDS)}
PLAYED = Timing(LATE, drift=9.0, memory=2.5, habit=5.0, hit=6.0)


def grooves(style: str, count: int, bars: int = 24) -> list[TimedGroove]:
    """Return grooves of kick, snare and hats exactly on the grid."""
    hits = [
        (bar * 480 + beat * 120 + place, pad)
        for bar in range(bars)
        for beat in range(4)
        for place, pads in ((0, (36, 42)), (30, (38,)), (60, (38, 42)), (90, (36,)))
        for pad in pads
    ]
    ticks, pads = [tick for tick, _ in hits], [pad for _, pad in hits]
    return [TimedGroove(style, "train", 90, ticks, pads, np.zeros(len(hits))) for _ in range(count)]


@pytest.fixture(scope="module")
def human() -> list[TimedGroove]:
    return replay(grooves("funk", 60), {ANY: PLAYED})


@pytest.fixture(scope="module")
def timings(human: list[TimedGroove]) -> Mapping[str, Timing]:
    return fit_timings(human)


def test_fitting_recovers_the_timing_that_was_played(human: list[TimedGroove], timings: Mapping[str, Timing]) -> None:
    assert set(timings) == {ANY, "funk"}
    funk = timings["funk"]
    for kind, place in (("kick", 0), ("snare", 1), ("hats", 15)):
        assert funk.late[kind][place] == pytest.approx(LATE[kind][place], abs=2.5)
    assert funk.drift == pytest.approx(PLAYED.drift, rel=0.15)
    assert funk.memory == pytest.approx(PLAYED.memory, rel=0.4)
    assert funk.habit == pytest.approx(PLAYED.habit, rel=0.3)
    assert funk.hit == pytest.approx(PLAYED.hit, rel=0.15)
    assert covariances(human, {kind: np.array(late) for kind, late in LATE.items()}).whole == pytest.approx(
        PLAYED.drift**2 + PLAYED.habit**2 + PLAYED.hit**2, rel=0.1
    )


def test_a_place_without_hits_takes_the_timing_of_its_kind_elsewhere(timings: Mapping[str, Timing]) -> None:
    late = timings["funk"].late
    assert set(late["toms"]) == {0.0}
    assert late["kick"][PLACES.index(40)] == 0


def test_fitted_timing_is_closer_to_the_drummer_than_steady_timing(human: list[TimedGroove]) -> None:
    unseen = human[:4]
    again, steady = replay(unseen, fit_timings(human[4:])), replay(unseen, {ANY: STEADY})
    words = table(unseen, {"measured": again, "steady": steady})
    mean = next(line for line in words.splitlines() if line.startswith("| mean"))
    measured, other = map(float, mean.replace(" ", "").split("|")[3:5])
    assert measured > 0.75 > other + 0.2
    assert limb_correlation(unseen) > 0.3 > limb_correlation(steady)
    assert overlap([1.0] * 50, [1.0] * 70) == 1
    assert overlap([-20.0] * 50, [20.0] * 70) == 0


def test_too_few_hits_give_an_error(human: list[TimedGroove]) -> None:
    assert "funk" in LOFI
    with pytest.raises(SettingsError, match="too few"):
        fit_timings([replace(groove, style="rock") for groove in human])


def test_grooves_are_read_with_their_drummers_timing(tmp_path: Path) -> None:
    (measured,) = timed_grooves(groove(tmp_path))
    assert measured.style == "hiphop"
    assert (measured.ticks[0], measured.pads[0]) == (0, 36)
    late = {ms for tick, ms in zip(measured.ticks, measured.late.tolist(), strict=True) if tick % 480 == 300}
    assert max(late) == pytest.approx(0.01 * 60_000 / 90, abs=0.5), "2.51 beats is a hundredth of a beat late"
