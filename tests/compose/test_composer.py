from __future__ import annotations

import itertools

import pytest

from radio.compose.bar import Bar
from radio.compose.composer import Composer
from radio.compose.conductor import Conductor
from radio.compose.drums import SNARES
from radio.compose.loop_writer import LoopWriter
from radio.compose.request import request_of
from radio.compose.track_writer import TrackWriter
from radio.model.engines.base import Engine
from radio.music.chord_loops import parse_loop
from radio.settings.controls import Controls
from radio.types import SKIP, TICKS_PER_BAR
from tests.model.models import engine


def composer(seed: int = 1, *, piano: Engine | None = None) -> Composer:
    return Composer(
        piano or engine("piano"),
        engine("drums"),
        Conductor(
            TrackWriter(
                writer=LoopWriter(engine("chords")),
                progressions=[parse_loop(["Dm7", "G7", "Cmaj7", "Am7"])],
                keys=("C", "F"),
                seed=seed,
            ),
            style="hiphop",
        ),
        seed=seed,
    )


def heard(bar: Bar, layer: str) -> set[tuple[int, int]]:
    """Return the onsets and pitches of one layer, counted from the bar line."""
    return {(event.tick - bar.plan.tick, event.note) for event in bar.events[layer] if event.velocity}


def test_layers_sound_only_in_the_bars_that_the_plan_names() -> None:
    player = composer()
    for number in range(60):
        bar = player.next_bar(Controls())
        assert bar.plan.number == number
        for layer in ("keys", "bass", "drums"):
            strikes = [event.tick for event in bar.events[layer] if event.velocity]
            assert bool(strikes) <= (layer in bar.plan.layers)
            assert all(bar.plan.tick <= tick < bar.plan.tick + TICKS_PER_BAR for tick in strikes)
        if "drums" in bar.plan.layers:
            assert heard(bar, "drums")


def test_every_note_is_released_and_none_is_struck_twice() -> None:
    player = composer(3)
    sounding: dict[str, set[int]] = {"keys": set(), "bass": set(), "drums": set(), "lead": set()}
    for _ in range(60):
        bar = player.next_bar(Controls())
        for layer, events in bar.events.items():
            ticks = [event.tick for event in events]
            assert ticks == sorted(ticks)
            for event in events:
                if event.velocity:
                    assert event.note not in sounding[layer]
                    sounding[layer].add(event.note)
                else:
                    sounding[layer].remove(event.note)
            assert len(sounding[layer]) <= 10


def test_phrases_recur_and_drums_keep_their_loop() -> None:
    player = composer(5)
    bars = [player.next_bar(Controls()) for _ in range(80)]
    by_track = [[bar for bar in bars if bar.track.number == number] for number in {bar.track.number for bar in bars}]
    pairs = [(one, other) for track in by_track for one, other in zip(track, track[4:], strict=False)]
    keys = [heard(one, "keys") == heard(other, "keys") for one, other in pairs if "keys" in other.plan.layers]
    assert sum(keys) > len(keys) / 2
    neighbors = [
        (heard(one, "drums"), heard(other, "drums"))
        for track in by_track
        for one, other in itertools.pairwise(track)
        if not (one.plan.fill or other.plan.fill) and {"drums"} <= one.plan.layers & other.plan.layers
    ]
    assert sum(len(a & b) / len(a | b) for a, b in neighbors) / len(neighbors) > 0.6


def test_a_returning_groove_is_heard_with_its_growth() -> None:
    player, missing = composer(6), {"octave", "ghosts"}
    while missing:
        bar = player.next_bar(Controls())
        assert bar.plan.number < 150
        growth = bar.track.script[bar.plan.number - bar.track.first_bar].growth
        keys = heard(bar, "keys")
        if "octave" in growth and any((tick, note + 12) in keys for tick, note in keys):
            missing.discard("octave")
        soft = [event.tick for event in bar.events["drums"] if event.note in SNARES and 0 < event.velocity < 40]
        if "ghosts" in growth and len(soft) == 2:
            missing.discard("ghosts")


def test_a_restored_composer_continues_bit_identically() -> None:
    first = composer()
    for played in (3, 37):  # the next track begins with bar 44
        for _ in range(played):
            first.next_bar(Controls())
        saved = first.save()
        expected = [first.next_bar(Controls()) for _ in range(10)]
        other = composer(seed=99)
        other.restore(saved)
        assert [other.next_bar(Controls()) for _ in range(10)] == expected
        first.restore(saved)
        assert [first.next_bar(Controls()) for _ in range(10)] == expected
        first.restore(saved)
    assert expected[0].track.number != expected[-1].track.number


@pytest.mark.parametrize(
    ("patch", "layer", "busier"),
    [({"density": 1.0}, "keys", True), ({"density": 0.0}, "keys", False), ({"drums_density": 0.0}, "drums", False)],
)
def test_a_density_is_heard_in_its_layer_from_the_next_bar_onward(patch: dict, layer: str, busier: bool) -> None:
    plain, changed = composer(6), composer(6)
    before = [(plain.next_bar(Controls()), changed.next_bar(Controls())) for _ in range(6)]
    assert all(one == other for one, other in before)
    after = [(plain.next_bar(Controls()), changed.next_bar(Controls().changed(patch))) for _ in range(10)]
    strikes = [sum(len(heard(pair[place], layer)) for pair in after if pair[0].track.number == 0) for place in (0, 1)]
    assert (strikes[1] > strikes[0]) == busier
    assert strikes[1] != strikes[0]


def test_a_track_keeps_its_tempo_and_swing_until_they_are_changed() -> None:
    player = composer(2)
    bar = player.next_bar(Controls())
    assert bar.tempo == 80 + bar.track.tempo_offset
    assert bar.swing == 56 + bar.track.swing_offset
    changed = player.next_bar(Controls().changed({"tempo": 72, "swing": 60}))
    assert (changed.tempo, changed.swing) == (72, 60)


def test_penalties_apply_only_to_the_keys() -> None:
    _, keys, drums = request_of(Controls(alpha_frequency=0.5, alpha_presence=0.3))
    assert (keys.alpha_frequency, keys.alpha_presence) == (0.5, 0.3)
    assert (drums.alpha_frequency, drums.alpha_presence) == (0.0, 0.0)


def test_material_written_ahead_equals_material_written_on_demand() -> None:
    """A skip ends the writing early. The rest is sampled immediately, and the music is the same."""
    early, late = composer(4), composer(4)
    first = early.next_bar(Controls()).track
    late.next_bar(Controls())
    for _ in range(first.bars - 1):
        early.next_bar(Controls())
    late.act(SKIP, Controls())
    one, other = early.next_bar(Controls()), late.next_bar(Controls())
    assert one.track.number == other.track.number == 1
    assert heard(one, "keys") == heard(other, "keys")


def test_a_track_is_the_same_if_none_is_written_after_it() -> None:
    usual, last = composer(4), composer(4)
    bars = [usual.next_bar(Controls())]
    bars += [usual.next_bar(Controls()) for _ in range(bars[0].track.bars - 1)]
    assert [last.next_bar(Controls(), write_ahead=False) for _ in bars] == bars
    assert (last.save().draft, last.save().next_inputs) == (None, None)
    assert usual.save().draft is not None
