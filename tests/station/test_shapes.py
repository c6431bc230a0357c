"""Tests of the shapes of bars, from which the leveler predicts loudness."""

from __future__ import annotations

from radio.paths import STATIONS
from radio.settings.config import load
from radio.station.factory import open_composer
from radio.station.shapes import shape, track_shapes
from radio.types import STILL, MixMove

BAND = frozenset({"keys", "bass", "drums"})
CHILL = load(STATIONS).station("chill")


def test_the_whole_band_is_expected_at_0_db_and_a_missing_layer_makes_it_quieter() -> None:
    whole = shape(BAND, STILL, BAND)
    assert (whole.expected_db, whole.gain_db) == (0.0, 0.0)
    for layer in BAND:
        assert shape(BAND - {layer}, STILL, BAND).expected_db < -1
    assert shape(frozenset({"keys"}), STILL, frozenset({"keys"})).expected_db == 0


def test_kinds_differ_by_layers_low_pass_and_telephone_band() -> None:
    moves = (STILL, MixMove(lowpass=(2_000, 4_000)), MixMove(lowpass=(400, 900)), MixMove(drums_band=1.0))
    kinds = [shape(layers, move, BAND).kind for layers in (BAND, BAND - {"bass"}, BAND | {"lead"}) for move in moves]
    assert len(set(kinds)) == len(kinds)
    assert shape(frozenset(), STILL, BAND).kind == ""


def test_a_fade_has_the_mean_power_of_its_ends() -> None:
    assert shape(BAND, MixMove(gain_db=(0, 0)), BAND).gain_db == 0
    assert -3.1 < shape(BAND, MixMove(gain_db=(0, -40)), BAND).gain_db < -2.9


def test_the_shapes_of_a_track_are_those_of_its_bars() -> None:
    composer = open_composer(CHILL, 3)
    bars = [composer.next_bar(CHILL.controls) for _ in range(60)]
    foreseen, _ = track_shapes(bars[0], CHILL.controls.energy, BAND)
    for bar in bars[: len(foreseen)]:
        shapes, place = track_shapes(bar, CHILL.controls.energy, BAND)
        assert place == bar.plan.number - bar.track.first_bar
        assert shapes == foreseen
        assert shapes[place] == shape(bar.plan.layers, bar.plan.mix, BAND)
