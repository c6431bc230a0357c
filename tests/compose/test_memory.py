from __future__ import annotations

from dataclasses import replace
from random import Random

from radio.compose.composer import Composer
from radio.compose.conductor import Conductor
from radio.compose.memory import APART, EMPTY, SIZE, Memento, Memory, fingerprint
from radio.compose.phrase import Phrase, phrase_of
from radio.compose.plan import Track
from radio.compose.track_writer import TrackWriter
from radio.compose.wish import ANY, Wish
from radio.model.engines.selection import open_engine
from radio.music.chord_loops import parse_loop
from radio.music.events import Note
from radio.settings.controls import Controls
from radio.types import SKIP
from tests.compose.test_composer import heard
from tests.compose.test_loop_writer import shipped
from tests.model.models import checkpoint

LOOP = parse_loop(["Dm7", "G7", "Cmaj7", "Am7"])


def phrase(seed: int) -> Phrase:
    random = Random(seed)
    return phrase_of([Note(start, start + 60, random.randint(50, 80), 70) for start in range(0, 1920, 120)], 4)


def memento(number: int, cost: float = 1.0) -> Memento:
    return Memento(number, "any", "major", {"A": LOOP, "B": LOOP}, phrase(number), None, "comp", cost)


def filled(count: int) -> Memory:
    memory = EMPTY
    for number in range(count):
        memory = memory.with_track(memento(number, cost=Random(number).uniform(0, 3)))
    return memory


def test_the_memory_is_bounded_and_keeps_the_best() -> None:
    memory = filled(4_000)
    assert len(memory.mementos) == SIZE
    assert len(memory.played) == 1_500
    mean = sum(one.cost for one in memory.mementos) / SIZE
    assert mean < 1
    assert fingerprint(phrase(3_999)) in memory.played


def test_a_phrase_returns_hours_later_and_not_often() -> None:
    memory = filled(APART)
    assert all(memory.draw(Random(seed), APART - 1, ANY) is None for seed in range(50))
    drawn = [memory.draw(Random(seed), 2 * APART, ANY) for seed in range(400)]
    assert 0.08 < sum(one is not None for one in drawn) / 400 < 0.25
    assert all(one is None or one.number + APART <= 2 * APART for one in drawn)
    assert memory.draw(Random(1), 2 * APART, Wish("sad")) is None
    once = next(one for one in drawn if one is not None)
    after = memory.with_track(memento(2 * APART), recalled=once)
    assert once.keys not in [one.keys for one in after.mementos]
    assert max(one.returns for one in after.mementos) == 1


def test_a_phrase_returns_at_most_three_times() -> None:
    memory, number = Memory((memento(0),)), 0
    for times in range(1, 4):
        number += APART
        recalled = next(one for seed in range(99) if (one := memory.draw(Random(seed), number, ANY)) is not None)
        memory = memory.with_track(memento(number), recalled=recalled)
        assert [one.returns for one in memory.mementos] == [times]
    assert all(memory.draw(Random(seed), number + APART, ANY) is None for seed in range(99))


def test_a_liked_phrase_becomes_likelier_and_a_disliked_one_is_forgotten() -> None:
    memory = Memory(tuple(memento(number) for number in range(10)))
    liked = memory.with_opinion(3, 1)

    def share(memory: Memory) -> float:
        drawn = [memory.draw(Random(seed), 200, ANY) for seed in range(2_000)]
        return sum(one is not None and one.number == 3 for one in drawn) / sum(one is not None for one in drawn)

    assert share(liked) > share(memory) + 0.03
    assert all(one.number != 3 for one in memory.with_opinion(3, -1).mementos)


def test_a_fingerprint_is_the_same_in_all_keys() -> None:
    assert fingerprint(phrase(1)) == fingerprint(phrase(1).transposed(5)) != fingerprint(phrase(2))


def test_a_returning_phrase_begins_as_before_and_continues_differently() -> None:
    tracks = TrackWriter(writer=shipped(), progressions=(), keys=("C", "F"), seed=1)
    player = Composer(
        open_engine(checkpoint("piano")), open_engine(checkpoint("drums")), Conductor(tracks, style="hiphop"), seed=1
    )
    player.next_bar(Controls())
    state = player.save()
    following = state.conductor.following
    roots = [LOOP.beats(bar)[beat].root for bar in range(4) for beat in range(4)]
    line = phrase_of([Note(beat * 120, beat * 120 + 60, 60 + root, 70) for beat, root in enumerate(roots)], 4)
    remembered = replace(memento(0), keys=line)
    assert following.recalled is None
    texture = replace(following.texture, kind="line", voices=1, onsets=1.0, length=0.5)
    recalled = tracks.harmonized(replace(following, recalled=remembered, texture=texture), ANY, ())
    assert recalled.loops["A"].transposed({"C": 0, "F": -5}[recalled.key]) == LOOP
    player.restore(replace(state, conductor=replace(state.conductor, following=recalled), draft=None, next_inputs=None))
    player.act(SKIP, Controls())
    first = player.next_bar(Controls())
    assert first.track.recalled == remembered
    material = player.save().piece.material  # type: ignore[union-attr]
    shift = {"C": 0, "F": 5}[recalled.key]
    original = {(note.start, (note.note + shift) % 12) for note in remembered.keys.notes}
    begun = {(note.start, note.note % 12) for note in material.keys["A"].notes if note.start < 960}
    assert begun
    assert len(begun & original) > 0.8 * len(begun)
    ended = {(note.start, note.note % 12) for note in material.keys["A"].notes if note.start >= 960}
    assert ended != {strike for strike in original if strike[0] >= 960}


def test_no_two_tracks_of_an_hour_are_the_same() -> None:
    tracks = TrackWriter(writer=shipped(), progressions=[LOOP], keys=("C",), seed=1, textures=("pad",))
    player = Composer(
        open_engine(checkpoint("piano")), open_engine(checkpoint("drums")), Conductor(tracks, style="hiphop"), seed=1
    )
    seen: dict[int, list[frozenset[tuple[int, int]]]] = {}
    for _ in range(6):
        first: Track | None = None
        for _ in range(12):
            bar = player.next_bar(Controls())
            first = first or bar.track
            seen.setdefault(bar.track.number, []).append(frozenset(heard(bar, "keys")))
        player.act(SKIP, Controls())
    assert len(set(map(tuple, seen.values()))) == len(seen)
    assert len(player.save().conductor.memory.played) == len(seen)
