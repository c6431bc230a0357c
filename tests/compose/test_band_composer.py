"""A station whose layers all come from one model follows the controls and the actions of listeners."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radio.compose.band_composer import BandComposer
from radio.compose.bar import Bar
from radio.compose.conductor import Conductor
from radio.compose.lookahead import Ahead
from radio.compose.loop_writer import LoopWriter
from radio.compose.track_writer import TrackWriter
from radio.errors import ModelError
from radio.model.engines.selection import open_engine
from radio.model.spec.rwkv import Rwkv6Spec
from radio.music.chord_loops import parse_loop
from radio.music.vocab import BAND_SIZE
from radio.settings.controls import Controls
from radio.types import SKIP
from tests.compose import test_composer
from tests.model.models import band_checkpoint, checkpoint

CONTROLS = Controls(temperature=1.0)


def composer(seed: int = 1) -> BandComposer:
    tracks = TrackWriter(
        writer=LoopWriter(open_engine(checkpoint("chords"))),
        progressions=[parse_loop(["Dm7", "G7", "Cmaj7", "Am7"])],
        keys=("C", "F"),
        seed=seed,
    )
    return BandComposer(
        open_engine(band_checkpoint(Rwkv6Spec(2, 64, BAND_SIZE))), Conductor(tracks, style="hiphop"), seed=seed
    )


def bars(player: BandComposer | Ahead, count: int, controls: Controls = CONTROLS) -> list[Bar]:
    return [player.next_bar(controls) for _ in range(count)]


def test_the_same_seed_plays_the_same_music_and_another_seed_different_music() -> None:
    first = bars(composer(), 30)
    assert bars(composer(), 30) == first
    assert [bar.events for bar in bars(composer(2), 30)] != [bar.events for bar in first]


@pytest.mark.parametrize("heard", [1, 7, 50])
def test_a_restored_composer_continues_as_if_it_had_never_stopped(heard: int) -> None:
    player, other = composer(), composer(9)
    bars(player, heard)
    other.restore(player.save())
    assert bars(other, 40) == bars(player, 40)


def test_a_bar_composed_early_is_the_same() -> None:
    ahead = Ahead(composer())
    played = []
    for number in range(12):
        ahead.prepare(replace(CONTROLS, temperature=0.5) if number % 3 else CONTROLS)
        played.append(ahead.next_bar(CONTROLS))
    assert played == bars(composer(), 12)


def test_layers_sound_only_where_the_plan_has_them_and_notes_stay_in_key() -> None:
    for bar in bars(composer(3), 60):
        for layer, events in bar.events.items():
            struck = [event.note for event in events if event.velocity]
            assert not struck or layer in bar.plan.layers
            if layer != "drums":
                tones = frozenset[int]().union(*(chord.tones for chord in bar.plan.chords))
                assert {note % 12 for note in struck} <= bar.track.scale | tones


def test_a_minor_key_has_the_scale_of_its_relative_major() -> None:
    (bar,) = bars(composer(), 1)
    assert replace(bar.track, key="Eb", mode="minor").scale == {3, 5, 7, 8, 10, 0, 2}


def test_key_and_tempo_follow_the_controls() -> None:
    player = composer()
    played = bars(player, 70, replace(CONTROLS, key="Ab", tempo=92.0, tempo_variety=0.0))
    assert {bar.tempo for bar in played} == {92.0}
    assert played[-1].track.key == "Ab"


def test_a_skipped_track_ends_and_its_notes_are_released() -> None:
    player = composer()
    before = bars(player, 9)
    assert player.act(SKIP, CONTROLS) == 9
    (bar,) = bars(player, 1)
    assert bar.opens_track
    assert bar.track.number == 1
    for layer, events in bar.events.items():
        sounding = set()
        for event in (event for earlier in before for event in earlier.events[layer]):
            (sounding.add if event.velocity else sounding.discard)(event.note)
        released = {event.note for event in events if event.tick == bar.plan.tick and not event.velocity}
        assert sounding <= released


def test_the_state_of_another_kind_of_station_is_refused() -> None:
    with pytest.raises(ModelError, match="a station without a band model"):
        composer().restore(test_composer.composer().save())
    with pytest.raises(ModelError, match="a station with a band model"):
        test_composer.composer().restore(composer().save())
