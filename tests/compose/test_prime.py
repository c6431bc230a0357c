"""Priming: a composer plays a file's music in its next track, varies it, and returns to its usual tracks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radio.compose.bar import Bar
from radio.compose.composer import Composer
from radio.compose.conductor import Conductor
from radio.compose.instruments import Instruments
from radio.compose.listening.reading import prime_of
from radio.compose.lookahead import Ahead
from radio.compose.loop_writer import LoopWriter
from radio.compose.plan import Request
from radio.compose.prime import PRIMED_TRACKS, Prime, random_prime
from radio.compose.track_writer import TrackWriter
from radio.compose.wish import Wish
from radio.model.engines.selection import open_engine
from radio.music.chord_loops import parse_loop
from radio.music.midi_parts import PartChoice
from radio.settings.controls import Controls
from radio.types import TICKS_PER_BAR, Action
from tests.compose.listening.songs import song
from tests.model.models import checkpoint


def conductor(seed: int = 1, layers: frozenset[str] = frozenset({"keys", "bass", "drums"})) -> Conductor:
    tracks = TrackWriter(
        writer=LoopWriter(open_engine(checkpoint("chords"))),
        progressions=[parse_loop(["Em7", "A7", "Em7", "A7"])],
        keys=("F#",),
        seed=seed,
        instruments=Instruments(lead=(73,)),
        layers=layers,
    )
    return Conductor(tracks, style="hiphop")


def composer(seed: int = 1, layers: frozenset[str] = frozenset({"keys", "bass", "drums"})) -> Composer:
    engines = (open_engine(checkpoint(name)) for name in ("piano", "drums"))
    return Composer(*engines, conductor(seed, layers), seed=seed)


@pytest.fixture(scope="module")
def prime(tmp_path_factory: pytest.TempPathFactory) -> Prime:
    score = song(tmp_path_factory.mktemp("songs") / "song.mid", tempo=71)
    return prime_of(score, "song", PartChoice())


def strikes(bar: Bar, layer: str) -> set[tuple[int, int]]:
    return {(event.tick - bar.plan.tick, event.note) for event in bar.events[layer] if event.velocity}


def test_the_next_tracks_use_the_prime_and_the_usual_ones_follow(prime: Prime) -> None:
    leader, request = conductor(), Request()
    own, _, _ = leader.next_bar(request)
    first_bar = leader.prime(prime, request)
    assert first_bar == own.bars
    planned = [leader.next_bar(request)[:2] for _ in range(300)]
    tracks = {track.number: track for track, _ in planned}
    assert tracks[0].key == "F#"
    for number in range(1, 1 + PRIMED_TRACKS):
        track = tracks[number]
        assert (track.key_name, track.tempo, track.loops) == ("C", 71.0, prime.loops)
        assert track.texture == prime.texture, "the density, register and voices of the file"
        assert track.prime is not None
        assert track.prime.literal == (number == 1)
        assert "lead" in track.programs
    after = tracks[1 + PRIMED_TRACKS]
    assert (after.key, after.tempo, after.prime) == ("F#", None, None)
    chords = {str(chord) for track, plan in planned if track.number == 2 for chord in plan.chords}
    assert chords == {str(chord) for loop in (prime.loops or {}).values() for chord in loop.halves}


def test_primed_tracks_are_as_dense_as_the_file_until_the_density_is_changed(prime: Prime) -> None:
    leader = conductor()
    leader.prime(prime, Request(density=0.2))
    track = leader.next_bar(Request(density=0.2))[0]
    assert prime.texture is not None
    for density, factor in ((0.2, 1), (0.7, 2)):
        assert track.texture.at_density(density).onsets == pytest.approx(factor * prime.texture.onsets)


def test_the_first_track_plays_the_passage_and_the_drum_loop_and_the_next_varies_them(prime: Prime) -> None:
    player = composer()
    assert player.prime(prime, Controls()) == 0, "before the first bar, the first track uses the prime"
    bars = [player.next_bar(Controls()) for _ in range(24)]
    assert {bar.tempo for bar in bars} == {71.0}
    grooves = [bar for bar in bars if bar.plan.section == "A"]
    passage = [{(note.start, note.note) for note in prime.passage.bar(place, 0)} for place in range(4)]
    assert sum(strikes(bar, "keys") == passage[bar.plan.elapsed % 4] for bar in grooves) > len(grooves) / 2
    assert prime.drums is not None
    hits = {(note.start % TICKS_PER_BAR, note.note) for note in prime.drums.notes}
    assert hits in [strikes(bar, "drums") for bar in grooves]
    player.act(Action("skip"), Controls())
    varied = [player.next_bar(Controls()) for _ in range(6)]
    assert varied[0].track.number == 1
    assert not any(strikes(bar, "keys") == passage[bar.plan.elapsed % 4] for bar in varied)


def test_a_prime_is_part_of_the_state(prime: Prime) -> None:
    first = composer()
    first.next_bar(Controls())
    first.prime(prime, Controls())
    for _ in range(4):
        first.next_bar(Controls())
    first.act(Action("skip"), Controls())
    saved = first.save()
    expected = [first.next_bar(Controls()) for _ in range(4)]
    other = composer(seed=99)
    other.restore(saved)
    assert [other.next_bar(Controls()) for _ in range(4)] == expected
    assert expected[-1].track.prime is not None


def test_a_bar_composed_ahead_is_composed_again_for_a_prime(prime: Prime) -> None:
    ahead, plain = Ahead(composer()), composer()
    ahead.prepare(Controls())
    assert ahead.prime(prime, Controls()) == plain.prime(prime, Controls()) == 0
    assert [ahead.next_bar(Controls()) for _ in range(2)] == [plain.next_bar(Controls()) for _ in range(2)]


def test_a_station_with_a_mood_uses_a_prime_and_another_mood_ends_it(prime: Prime) -> None:
    leader, sad = conductor(), Request(wish=Wish(mood="sad"))
    leader.prime(prime, sad)
    assert leader.next_bar(sad)[0].prime == prime
    track = [leader.next_bar(Request(wish=Wish(mood="calm")))[0] for _ in range(12)][-1]
    assert (track.wish.mood, track.prime) == ("calm", None)


def test_a_prime_keeps_its_tracks_if_a_requested_harmony_has_yet_to_take_effect(prime: Prime) -> None:
    leader, sad = conductor(), Request(wish=Wish(mood="sad"))
    own, _, _ = leader.next_bar(Request())
    for _ in range(own.bars - 2):
        leader.next_bar(Request())
    assert leader.next_loop == leader.prime(prime, sad) == own.bars, "no loop begins before the next track"
    leader.next_bar(sad)
    assert leader.next_bar(sad)[0].prime == prime


def test_a_prime_without_a_key_leaves_the_harmony_to_the_controls() -> None:
    leader, wish = conductor(), Wish(mood="sad", key="Ab")
    leader.prime(random_prime(1), Request(wish=wish))
    track = leader.next_bar(Request(wish=wish))[0]
    assert (track.prime, track.wish, track.key_name) == (random_prime(1), wish, "Abm")


def test_a_changed_tempo_overrides_that_of_the_prime(prime: Prime) -> None:
    player = composer()
    player.prime(prime, Controls())
    assert player.next_bar(Controls()).tempo == 71
    assert player.next_bar(Controls().changed({"tempo": 90})).tempo == 90


def test_a_station_without_drums_uses_only_the_keys_of_a_prime(prime: Prime) -> None:
    player = composer(layers=frozenset({"keys"}))
    player.prime(replace(prime, motif=None), Controls())
    bars = [player.next_bar(Controls()) for _ in range(5)]
    assert not any(bar.events["drums"] for bar in bars)


def test_random_notes_are_a_context_in_the_stations_key() -> None:
    player, plain = composer(), composer()
    player.prime(random_prime(1), Controls())
    bars = [(player.next_bar(Controls()), plain.next_bar(Controls())) for _ in range(4)]
    assert all(one.track.key == other.track.key and one.plan.chords == other.plan.chords for one, other in bars)
    assert any(strikes(one, "keys") != strikes(other, "keys") for one, other in bars)
