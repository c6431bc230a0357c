from __future__ import annotations

from dataclasses import replace
from statistics import fmean, quantiles, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.compose.drum_timing import FURTHEST_MS, PLACES, STEADY, Lateness, Timing, read
from radio.compose.feel import LOOKAHEAD, Feel, swung
from radio.music.clock import Clock
from radio.paths import DRUM_TIMINGS
from radio.types import GRID, SAMPLE_RATE

TICKS = st.lists(st.integers(0, 1920).map(lambda place: place * 5), min_size=1, max_size=60).map(sorted)
SWING = st.floats(50, 66)
HUMAN = read(DRUM_TIMINGS)["hiphop"]
TIMING = st.sampled_from([STEADY, HUMAN])


def late_ms(feel: Feel, tick: int, note: int, clock: Clock, swing: float = 50) -> float:
    return (feel.place(tick, note, clock, swing) - clock.frame(tick)) * 1000 / SAMPLE_RATE


@given(TICKS, SWING, st.sampled_from(["keys", "bass"]), TIMING)
def test_events_keep_their_order_so_a_release_never_follows_its_restrike(
    ticks: list[int], swing: float, layer: str, timing: Timing
) -> None:
    feel, clock = Feel(layer, 1, timing), Clock(80)
    frames = [feel.place(tick, 60, clock, swing) for tick in ticks]
    assert frames == sorted(frames)
    assert all(frame % GRID == 0 for frame in frames)
    for one, other, here, there in zip(ticks, ticks[1:], frames, frames[1:], strict=False):
        assert one != other or here == there


@given(TICKS, TIMING, st.sampled_from(["keys", "bass", "drums"]), st.floats(50, 110), st.integers(0, 99))
def test_offsets_from_the_tick_are_human_and_within_the_lookahead(
    ticks: list[int], timing: Timing, layer: str, tempo: float, seed: int
) -> None:
    feel, clock = Feel(layer, seed, timing), Clock(tempo, frame=10 * LOOKAHEAD)
    for tick in ticks:
        late = feel.place(tick, 42, clock, 50) - clock.frame(tick)
        assert late >= -LOOKAHEAD
        assert abs(late) <= FURTHEST_MS * SAMPLE_RATE / 1000 + GRID
    assert FURTHEST_MS <= 50, "a later hit sounds like another beat, not like a late drummer"


@given(SWING)
def test_swing_moves_the_off_beat_sixteenth_to_its_share_of_the_pair_but_not_the_beat(swing: float) -> None:
    assert swung(0, swing) == 0
    assert abs((30 + swung(30, swing)) / 60 * 100 - swing) < 1e-9
    places = [within + swung(within, swing) for within in range(60)]
    assert places == sorted(places)
    assert places[-1] < 60


@pytest.mark.parametrize("timing", [STEADY, HUMAN])
def test_the_swing_control_moves_drums_equally_with_any_timing(timing: Timing) -> None:
    clock = Clock(80)
    straight, hard = Feel("drums", 1, timing), Feel("drums", 1, timing)
    for tick in range(480, 4800, 30):
        moved = late_ms(hard, tick, 42, clock, 62) - late_ms(straight, tick, 42, clock, 50)
        wanted = (0.12 * 60) * 60_000 / 80 / 120 if tick % 60 else 0
        assert moved == pytest.approx(wanted, abs=1.4)


def test_with_steady_timing_the_snare_is_late_and_the_hat_slightly_early() -> None:
    clock = Clock(80)
    feel = Feel("drums", 3)
    late = [[late_ms(feel, bar * 480 + 120, note, clock, 56) for note in (36, 38, 42)] for bar in range(400)]
    kick, snare, hat = (fmean(column) for column in zip(*late, strict=True))
    assert abs(kick) < 1
    assert abs(snare - kick - 10) < 1
    assert abs(hat - kick + 3) < 1


def test_drummers_differ_in_their_habits_and_match_the_measurement_on_average() -> None:
    clock, tick = Clock(80), 480 * 3 + 240
    means = [
        fmean(late_ms(feel, tick + bar * 480, 42, clock) for bar in range(40))
        for feel in (Feel("drums", seed, HUMAN) for seed in range(60))
    ]
    assert fmean(means) == pytest.approx(HUMAN.late["hats"][PLACES.index(240)], abs=3)
    assert stdev(means) == pytest.approx(HUMAN.habit, rel=0.35)


def test_limbs_drift_together_and_the_band_with_them() -> None:
    clock = Clock(80)
    layers = {layer: Feel(layer, 5, HUMAN) for layer in ("bass", "drums")}
    late = {layer: [late_ms(feel, 960 + bar * 480, 36, clock) for bar in range(1500)] for layer, feel in layers.items()}
    own = HUMAN.followers["bass"].own
    assert stdev(late["bass"]) == pytest.approx((HUMAN.drift**2 + own**2) ** 0.5, rel=0.1)
    assert stdev(late["drums"]) == pytest.approx((HUMAN.drift**2 + HUMAN.hit**2) ** 0.5, rel=0.1)
    together = [drums - bass for drums, bass in zip(late["drums"], late["bass"], strict=True)]
    independent = (stdev(late["drums"]) ** 2 + stdev(late["bass"]) ** 2) ** 0.5
    assert stdev(together) < 0.7 * independent, "the lateness of bass and of drums is not independent"


def behind_drums(layer: str, seeds: int) -> list[float]:
    """Return the mean lateness of a layer behind the drums in the first track from each seed, in ms."""
    clock = Clock(80)
    return [
        fmean(late_ms(feel, 960 + bar * 480, 40, clock) for bar in range(40)) - HUMAN.on_beats
        for feel in (Feel(layer, seed, replace(HUMAN, drift=0.0)) for seed in range(seeds))
    ]


def test_bands_differ_in_the_lateness_of_their_bass() -> None:
    behind, measured = behind_drums("bass", 150), HUMAN.followers["bass"]
    assert fmean(behind) == pytest.approx(measured.mean, abs=2.5)
    assert stdev(behind) == pytest.approx(measured.spread, rel=0.25)
    assert min(behind) > measured.low - measured.own
    assert max(behind) < measured.high + measured.own


@pytest.mark.parametrize("layer", ["keys", "lead"])
def test_on_average_keys_and_lead_are_as_late_as_measured(layer: str) -> None:
    assert fmean(behind_drums(layer, 200)) == pytest.approx(HUMAN.followers["keys"].mean, abs=2.5)


def test_keys_are_on_the_grid_in_one_track_of_four_and_as_far_off_as_loops_in_others() -> None:
    clock, distances = Clock(80), []
    for number in range(400):
        feel = Feel("keys", 3, HUMAN)
        feel.begin_track(number)
        late = [abs(late_ms(feel, 960 + tick * 120, 60, clock)) for tick in range(64)]
        distances.append(fmean(late) / (60_000 / 80 / 4))
    assert sum(distance < 0.03 for distance in distances) / 400 == pytest.approx(0.25, abs=0.06)
    assert quantiles(distances, n=4)[-1] == pytest.approx(0.152, abs=0.02), "as of real loops, in sixteenths"


def test_keys_and_lead_of_a_track_are_equally_loose() -> None:
    clock, timing = Clock(80), replace(HUMAN, late={kind: [10.0] * len(PLACES) for kind in HUMAN.late}, drift=0.0)
    timing = replace(timing, followers={"keys": Lateness()})
    for number in range(20):
        feels = [Feel(layer, 3, timing) for layer in ("keys", "lead")]
        for feel in feels:
            feel.begin_track(number)
        keys, lead = (late_ms(feel, 960, 60, clock) for feel in feels)
        assert keys == lead


def test_with_steady_timing_keys_and_bass_neither_lag_nor_waver() -> None:
    clock = Clock(80)
    for layer in ("keys", "bass"):
        feel = Feel(layer, 1)
        late = {late_ms(feel, 960 + bar * 480, 40, clock) for bar in range(20)}
        assert max(late) - min(late) < 1.4
        assert abs(fmean(late)) < 3


def test_placing_the_drums_of_a_tick_again_gives_the_same_frames() -> None:
    feel, clock = Feel("drums", 2, HUMAN), Clock(80)
    once = [feel.place(480, pad, clock, 50) for pad in (36, 42)]
    assert [feel.place(480, pad, clock, 50) for pad in (36, 42)] == once


@pytest.mark.parametrize("layer", ["keys", "drums"])
def test_the_same_seed_plays_the_same_and_a_restored_feel_continues_identically(layer: str) -> None:
    clock = Clock(80)
    feel, twin, stranger = Feel(layer, 4, HUMAN), Feel(layer, 4, HUMAN), Feel(layer, 5, HUMAN)
    began = [[each.place(tick, 42, clock, 56) for tick in range(480, 990, 30)] for each in (feel, twin, stranger)]
    assert began[0] == began[1] != began[2]
    saved = feel.save()
    expected = [feel.place(tick, 42, clock, 56) for tick in range(960, 1920, 30)]
    twin.place(1900, 38, clock, 56)
    twin.restore(saved)
    assert [twin.place(tick, 42, clock, 56) for tick in range(960, 1920, 30)] == expected


def test_lateness_and_habits_are_drawn_for_each_track_and_saved_with_it() -> None:
    clock, timing = Clock(80), replace(HUMAN, drift=0.0, hit=0.0, followers={"keys": Lateness(14, 11, -4, 31, 0)})
    for layer, pad in (("keys", 60), ("drums", 42)):
        feel = Feel(layer, 4, timing)
        lateness = []
        for number in range(8):
            feel.begin_track(number)
            lateness.append(late_ms(feel, (number + 1) * 4800, pad, clock))
        assert len(set(lateness)) > 5
        restored = Feel(layer, 4, timing)
        restored.restore(feel.save())
        assert late_ms(restored, 48_000, pad, clock) == late_ms(feel, 48_000, pad, clock)
