from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from radio.compose.grammar import Limits
from radio.compose.performer import LONGEST_HOLD, Performer, play_together
from radio.compose.plan import BarPlan
from radio.model.engines.base import Engine, State
from radio.model.engines.numpy_rwkv6 import NumpyRwkv6Engine
from radio.model.engines.selection import open_engine
from radio.model.sampling import Sampling
from radio.music.chords import NO_CHORD, parse_chord
from radio.music.events import Note, NoteEvent
from radio.music.parts import PARTS
from radio.music.tokenizer import DRUM_GATE
from radio.music.vocab import note_token
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from tests.model.models import checkpoint


@cache
def engine(part: str) -> Engine:
    return open_engine(checkpoint(part))


def performer(part: str, seed: int = 0) -> Performer:
    return Performer(engine(part), PARTS[part], (seed, 0))


def plan(number: int, *, density: int = 3) -> BarPlan:
    chord = parse_chord(("Dm7", "G7", "Cmaj7", "Am7")[number % 4])
    return BarPlan(number, "A", (chord,) * 4, {"piano": density, "drums": density}, "hiphop", backbeat=True)


def play(player: Performer, bars: range, *, density: int = 3, temperature: float = 1.0) -> list[NoteEvent]:
    return [event for bar in bars for event in player.play(plan(bar, density=density), Sampling(temperature))]


@pytest.mark.parametrize("part", ["piano", "drums"])
def test_bars_contain_only_their_own_events_and_all_notes_end(part: str) -> None:
    """This holds even for a model with random weights: the host ensures it."""
    player = performer(part)
    struck: dict[int, int] = {}
    limit = LONGEST_HOLD + TICKS_PER_BEAT if part == "piano" else DRUM_GATE
    for bar in range(12):
        last = 0
        events = player.play(plan(bar), Sampling())
        assert any(event.velocity for event in events), "the conductor did not ask for a bar without notes"
        for event in events:
            assert event.tick >= last
            last = event.tick
            assert event.tick <= (bar + 1) * TICKS_PER_BAR
            if event.velocity:
                assert event.tick >= bar * TICKS_PER_BAR
                assert event.note not in struck
                struck[event.note] = event.tick
            else:
                assert event.tick - struck.pop(event.note) <= limit


@pytest.mark.parametrize("part", ["piano", "drums"])
def test_the_same_seed_plays_the_same_music_and_another_seed_different_music(part: str) -> None:
    first = play(performer(part, 7), range(3))
    assert first == play(performer(part, 7), range(3))
    assert first != play(performer(part, 8), range(3))


@pytest.mark.parametrize("part", ["piano", "drums"])
def test_performers_play_the_same_together_as_alone(part: str) -> None:
    begun = performer(part)
    begun.force(plan(0), [Note(0, 240, 60, 80), Note(120, 240, 64, 60)] if part == "piano" else [Note(0, 30, 36, 90)])
    alone, together = begun.twins(3), begun.twins(3)
    for players in (alone, together):
        for seed, player in enumerate(players):
            player.reseed((seed,))
    bars = [plan(number) for number in range(1, 4)]
    expected = [[event for bar in bars for event in player.play(bar, Sampling(), Limits())] for player in alone]
    assert play_together(together, bars, Sampling(), Limits()) == expected
    assert expected[0] != expected[1]
    for one, other in zip(alone, together, strict=True):
        assert play(one, range(4, 5)) == play(other, range(4, 5)), "their states are the same afterwards"


def test_a_forced_bar_influences_the_bars_sampled_after_it() -> None:
    one, other = performer("piano"), performer("piano")
    one.force(plan(0), [Note(0, 240, 60, 80)])
    other.force(plan(0), [Note(0, 240, 72, 80)])
    assert play(one, range(1, 3)) != play(other, range(1, 3))


@pytest.mark.parametrize("part", ["piano", "drums"])
def test_a_restored_performer_continues_as_if_it_had_never_stopped(part: str) -> None:
    player = performer(part)
    play(player, range(3))
    saved = player.save()
    expected = play(player, range(3, 6))
    assert play_restored(performer(part, 99), saved) == expected
    assert play_restored(player, saved) == expected, "the same performer can go back"


def play_restored(player: Performer, saved: object) -> list[NoteEvent]:
    player.restore(saved)  # type: ignore[arg-type]
    return play(player, range(3, 6))


def test_the_host_ends_notes_that_a_model_never_releases() -> None:
    """Logits that forbid releases and waits shorter than a beat: only the host can end a note."""
    player = performer("piano")
    rows = {token: row for row, token in enumerate(player._engine.tokens)}

    class Clinging:
        tokens = player._engine.tokens

        def zero_state(self):
            return engine("piano").zero_state()

        def step(self, fed, state):
            logits, state = engine("piano").step(fed, state)
            logits = logits * 0
            logits[rows[128 + 16 * 60 + 8]] = 50  # strike middle C whenever it is allowed
            logits[rows[2 + 120]] = 40  # otherwise wait for a beat
            return logits, state

    chord = (NO_CHORD,) * 4  # so that only a note's length can end it
    clinging = Performer(Clinging(), PARTS["piano"], (0, 0))
    plans = [BarPlan(bar, "A", chord, {"piano": 3}, "hiphop") for bar in range(6)]
    events = [event for bar_plan in plans for event in clinging.play(bar_plan, Sampling())]
    held = [event for event in events if event.note == 60]
    strikes = [event.tick for event in held if event.velocity]
    releases = [event.tick for event in held if not event.velocity]
    assert len(strikes) >= 2
    assert all(end - start == LONGEST_HOLD for start, end in zip(strikes, releases, strict=False))


def test_controls_that_a_model_does_not_know_are_not_fed() -> None:
    fed: list[int] = []

    class Counting(NumpyRwkv6Engine):
        def step(self, rows, state):
            fed.extend(self.tokens[row] for row in rows)
            return super().step(rows, state)

    Performer(Counting(checkpoint("piano")), PARTS["piano"], (0, 0)).play(plan(0), Sampling())
    controls = {token for token in fed if token >= 2176}
    assert not controls & set(range(2256, 2300)), "the piano knows no styles"
    assert {2176, 2177, 2178, 2179} <= controls


def test_all_notes_but_recent_ones_end_when_a_chord_begins() -> None:
    player = performer("piano")
    player.play(plan(0), Sampling())
    bar_line = TICKS_PER_BAR
    player._grammar.sounding.clear()
    player._decoder.flush()
    for note, since in ((60, 0), (61, 0), (62, bar_line - TICKS_PER_BEAT + 5)):
        player._grammar.sounding[note] = since
        player._decoder._struck[note] = since
    _, releases = player._announced(BarPlan(1, "A", (parse_chord("Cmaj7"),) * 4, {"piano": 3}, "hiphop"), 1)
    assert releases == [note_token(60, 0), note_token(61, 0)]
    assert set(player._grammar.sounding) == {62}, "struck within the last beat: it anticipates the chord"


def test_every_piece_starts_from_the_initial_state() -> None:
    """A restored performer continues from its saved state, and a reset one starts from the initial state again."""
    zeros = engine("piano").zero_state()
    tuned = State(np.random.default_rng(3).normal(0, 0.5, zeros.memory.shape).astype(np.float32))
    player = Performer(engine("piano"), PARTS["piano"], (0, 0), initial=tuned)
    first = play(player, range(2))
    assert first != play(performer("piano"), range(2))
    saved = player.save()
    later = play(player, range(2, 4))
    player.reset((0, 0))
    assert play(player, range(2)) == first
    player.restore(saved)
    assert play(player, range(2, 4)) == later


def test_an_initial_state_of_zeros_changes_nothing() -> None:
    zeros = engine("piano").zero_state()
    assert play(Performer(engine("piano"), PARTS["piano"], (0, 0), initial=zeros), range(2)) == play(
        performer("piano"), range(2)
    )
