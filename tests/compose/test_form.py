from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.compose.form import draw_form
from radio.compose.script import GROWTHS, PLAYED, at_energy, with_growth, with_lead

SEEDS = st.integers(0, 100_000)


@given(SEEDS, st.floats(55, 105))
def test_a_track_lasts_between_one_and_three_minutes_with_intro_and_ending(seed: int, tempo: float) -> None:
    script = draw_form(Random(seed), tempo)
    assert 58 <= len(script) * 240 / tempo <= 192
    assert (script[0].kind, script[-1].kind) == ("intro", "outro")
    assert any(bar.kind == "groove" and bar.layers >= {"keys", "bass", "drums"} for bar in script)


@given(SEEDS)
def test_places_count_the_bars_of_each_section(seed: int) -> None:
    script = draw_form(Random(seed), 80)
    place = 0
    for before, bar in zip((None, *script), script, strict=False):
        place = place + 1 if before is not None and before.section == bar.section and bar.place else 0
        assert bar.place == place


@given(SEEDS)
def test_the_mix_moves_without_jumps_within_a_section(seed: int) -> None:
    script = draw_form(Random(seed), 80)
    for _, group in groupby(script, key=lambda bar: bar.section):
        bars = list(group)
        for before, bar in pairwise(bars):
            if bar.place:
                assert abs(before.mix.lowpass[1] - bar.mix.lowpass[0]) < 1e-6 * bar.mix.lowpass[0] + 1e-6
                assert abs(before.mix.gain_db[1] - bar.mix.gain_db[0]) < 1e-9


def test_lows_or_highs_are_absent_part_of_the_time() -> None:
    scripts = [draw_form(Random(seed), 80) for seed in range(200)]
    bars = [bar for script in scripts for bar in script]
    lows = sum(not bar.layers & {"bass"} for bar in bars) / len(bars)
    highs = sum("drums" not in bar.layers or bar.mix.lowpass[1] < 3_000 or bar.mix.drums_band > 0 for bar in bars)
    assert 0.15 < lows < 0.4
    assert 0.15 < highs / len(bars) < 0.45
    assert len({tuple(bar.section for bar in script) for script in scripts}) > 50


def test_a_layer_that_a_station_lacks_is_in_no_bar() -> None:
    for seed in range(20):
        for bar in draw_form(Random(seed), 80, layers=frozenset({"keys", "bass"})):
            assert bar.layers <= {"keys", "bass"}


@given(SEEDS)
def test_only_keys_that_play_alone_are_boosted_and_fades_take_three_bars(seed: int) -> None:
    script = draw_form(Random(seed), 80)
    for bar in script:
        if bar.kind != "groove" and bar.mix.gain_db[0] > 0:
            assert bar.layers <= {"keys"}
    assert sum(bar.mix.gain_db[1] < 0 for bar in script) in (0, 3)


def test_energy_shortens_breakdowns_and_intros() -> None:
    shares = []
    for energy in (0.0, 0.5, 1.0):
        bars = [bar for seed in range(60) for bar in draw_form(Random(seed), 80, energy=energy)]
        shares.append(sum(bar.kind in ("break", "intro") for bar in bars) / len(bars))
    assert shares[0] > shares[1] > shares[2]


@given(SEEDS)
def test_a_groove_grows_each_time_it_returns(seed: int) -> None:
    plain = draw_form(Random(seed), 80)
    script = with_growth(plain, Random(seed))
    assert [replace(bar, growth=()) for bar in script] == list(plain)
    openings = [bar for bar in script if bar.kind == "groove" and bar.place == 0]
    for material in ("A", "B"):
        grown = [bar.growth for bar in openings if bar.material == material]
        assert [len(growth) for growth in grown] == [min(time, len(GROWTHS)) for time in range(len(grown))]
        assert all(set(before) < set(after) for before, after in pairwise(grown))
    for before, bar in pairwise(script):
        assert bar.growth == () if bar.kind != "groove" else bar.place == 0 or bar.growth == before.growth
    assert all(at_energy(bar, 0.2, PLAYED).growth == () for bar in script)


@given(SEEDS, st.floats(0, 1))
def test_the_lead_plays_in_the_last_groove(seed: int, energy: float) -> None:
    script = with_lead(draw_form(Random(seed), 80), Random(seed), energy)
    last = max(number for number, bar in enumerate(script) if bar.kind == "groove")
    assert "lead" in script[last].layers


def test_layers_rest_at_low_energy_and_all_play_at_high_energy() -> None:
    for bar in draw_form(Random(1), 80):
        assert at_energy(bar, 0.5, PLAYED) == bar
        assert not at_energy(bar, 0.05, PLAYED).layers & {"drums", "bass"}
        assert "drums" not in at_energy(bar, 0.2, PLAYED).layers
        assert bar.kind == "outro" or at_energy(bar, 1.0, PLAYED).layers >= {"drums", "bass"}


def test_without_drums_intro_breakdowns_and_ending_are_softer_and_no_bar_line_has_a_step() -> None:
    for seed in range(30):
        script = draw_form(Random(seed), 60, layers=frozenset({"keys", "bass"}))
        inner = [bar for bar in script if bar.kind != "groove" and bar.place > 0]
        assert all(bar.mix.gain_db[0] <= -3.5 for bar in inner)
        assert all(bar.mix.gain_db == (0, 0) for bar in script if bar.kind == "groove")
        assert script[0].mix.gain_db[0] == -3.5
        for before, after in pairwise(script):
            assert before.mix.gain_db[1] == pytest.approx(after.mix.gain_db[0])
