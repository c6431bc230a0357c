"""A performer: one model that plays bar after bar and keeps its state from each bar to the next.

A bar is either sampled (`play`) or forced (`force`). A forced bar is fed to the model note by note before the next one
is sampled, so that the model continues from what was played.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from radio.compose.grammar import Grammar, GrammarState, Limits
from radio.compose.plan import BarPlan
from radio.errors import ModelError
from radio.model.engines.base import Array, Engine, State
from radio.model.sampling import GeneratorState, Sampler, Sampling, check_scores
from radio.music.events import Note, NoteEvent
from radio.music.parts import Part
from radio.music.tokenizer import DRUM_GATE, DecoderState, TokenDecoder, wait_tokens
from radio.music.vocab import START, note_token, velocity_to_bin
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick, TokenId

LONGEST_HOLD: Tick = 2 * TICKS_PER_BAR
"""A sampled note that is held this long is released at the next beat."""

_FORCED_HOLD: Final[Tick] = 5 * TICKS_PER_BAR
"""The decoder's hold limit: longer than any note of a phrase."""


@dataclass(frozen=True)
class PerformerState:
    """The state of a performer between two bars; after restoring it, the performer continues bit-identically."""

    state: State
    logits: Array
    generator: GeneratorState
    counts: Array
    grammar: GrammarState
    decoder: DecoderState
    ends: Mapping[int, Tick]


class Performer:
    """A player of one part with a model.

    Args:
        engine: Engine of the model.
        part: Range, grid and density levels of the part.
        seed: Seed of the random generator.
        initial: The state from which the model begins each piece, such as a tuned one; zeros if None.
    """

    def __init__(self, engine: Engine, part: Part, seed: Sequence[int], *, initial: State | None = None) -> None:
        self.part = part
        self._engine = engine
        self._initial = engine.zero_state() if initial is None else initial
        self._row = {token: row for row, token in enumerate(engine.tokens)}
        self._ends: dict[int, Tick] = {}
        """End ticks of the sounding forced notes."""
        self._unfed: list[int] = []
        """Forced rows that are not fed to the model until its state is needed."""
        self._logits: Array
        self._state: State
        self._decoder: TokenDecoder
        self._grammar: Grammar
        self._sampler: Sampler
        self._begin(seed, 0)

    def reset(self, seed: Sequence[int], *, tick: Tick = 0) -> list[NoteEvent]:
        """Forget everything and begin a new piece at `tick`, a bar line.

        Returns:
            Releases of the sounding notes.
        """
        releases = self._decoder.flush()
        self._begin(seed, tick)
        return releases

    def reseed(self, seed: Sequence[int]) -> None:
        """Continue from the same state with another random generator."""
        self._sampler.generator = np.random.default_rng(list(seed))

    def play(self, plan: BarPlan, sampling: Sampling, limits: Limits | None = None) -> list[NoteEvent]:
        """Sample the bar that `plan` describes, which must be the next one.

        A bar whose planned density is above 0 has at least one note: if the model strikes none in three beats, it must
        strike one in the fourth.

        Args:
            plan: Chords, density and style of the bar.
            sampling: Temperature and the other sampling settings.
            limits: Allowed notes and polyphony; the part's own if None.

        Returns:
            Events, sorted by tick; ticks count from bar 0 of the station.
        """
        bar = self._sample(plan, sampling, limits or Limits())
        try:
            while True:
                self._feed_rows(next(bar))
        except StopIteration as end:
            events: list[NoteEvent] = end.value
            return events

    def twins(self, count: int) -> list[Performer]:
        """Return performers that continue independently from the same state."""
        saved, twins = self.save(), [copy.copy(self) for _ in range(count)]
        for twin in twins:
            twin._sampler = self._sampler.twin()
            twin._grammar, twin._decoder = copy.copy(self._grammar), copy.copy(self._decoder)
            twin.restore(saved)
        return twins

    def force(self, plan: BarPlan, notes: Sequence[Note]) -> list[NoteEvent]:
        """Play the notes of one bar as written; bars that are sampled later continue from them.

        Args:
            plan: The bar, which must be the next one.
            notes: Notes that start in the bar, ticks from bar 0 of the station. They may end in later bars, and are cut
                when the same pitch is struck again.

        Returns:
            Events, sorted by tick.
        """
        events: list[NoteEvent] = []
        tokens: list[TokenId] = []
        strikes = sorted((note.start, note.note, note.velocity, note.end) for note in notes)
        for number in range(1, BEATS_PER_BAR + 1):
            start = plan.tick + (number - 1) * TICKS_PER_BEAT
            beat = [strike for strike in strikes if start <= strike[0] < start + TICKS_PER_BEAT]
            written = [*plan.controls(number, self.part.name), *self._written(start, beat)]
            for token in written:
                self._grammar.take(token)
                events += self._decoder.feed(token)
            tokens += written
        self._unfed += self._known(tokens)
        return events

    def release(self, at: Tick) -> None:
        """End all sounding notes at `at`, the next bar line."""
        self._ends = dict.fromkeys(self._grammar.sounding, at)

    def rewind(self, tick: Tick) -> None:
        """Set the clock back to `tick`, a bar line, with no sounding notes; the model's state is unchanged."""
        self._grammar.tick = tick
        self._grammar.sounding.clear()
        self._ends.clear()
        self._decoder = TokenDecoder(hold_limit=self._decoder.hold_limit, tick=tick)

    def save(self) -> PerformerState:
        """Return everything that the next bar depends on."""
        self._feed_rows(())
        return PerformerState(
            self._state,
            self._logits,
            GeneratorState.of(self._sampler.generator),
            self._sampler.counts.copy(),
            self._grammar.save(),
            self._decoder.save(),
            dict(self._ends),
        )

    def restore(self, saved: PerformerState) -> None:
        """Continue from a saved state. Raises ModelError if it is from another model."""
        if saved.logits.shape != (len(self._engine.tokens),) or saved.state.memory.shape[1:] != self._columns:
            raise ModelError(f"the state of the {self.part.name} performer is from another model")
        self._state, self._logits, self._unfed = saved.state, saved.logits, []
        saved.generator.restore(self._sampler.generator)
        self._sampler.counts = saved.counts.copy()
        self._grammar.restore(saved.grammar)
        self._decoder.restore(saved.decoder)
        self._ends = dict(saved.ends)

    def _begin(self, seed: Sequence[int], tick: Tick) -> None:
        self._sampler = Sampler(self._engine.tokens, np.random.default_rng(list(seed)))
        self._grammar = Grammar(self.part, self._engine.tokens)
        self._grammar.tick = tick
        self._decoder = TokenDecoder(hold_limit=_FORCED_HOLD if self.part.note_offs else DRUM_GATE, tick=tick)
        self._ends = {}
        self._state = self._initial
        self._columns = self._state.memory.shape[1:]
        self._logits = np.zeros(len(self._engine.tokens), np.float32)
        self._unfed = self._known([START])

    def _sample(self, plan: BarPlan, sampling: Sampling, limits: Limits) -> Generator[list[int], None, list[NoteEvent]]:
        """Yield the rows to feed to the model next, and return the events of a sampled bar."""
        self._ends.clear()
        events: list[NoteEvent] = []
        struck = plan.densities[self.part.name] == 0
        for number in range(1, BEATS_PER_BAR + 1):
            until = plan.tick + number * TICKS_PER_BEAT
            controls, releases = self._announced(plan, number)
            if rows := [*self._unfed, *self._known([*controls, *releases])]:
                self._unfed = []
                yield rows
            events += [event for token in releases for event in self._decoder.feed(token)]
            while self._grammar.tick < until:
                must_strike = number == BEATS_PER_BAR and not struck
                allowed = self._grammar.allowed(until, limits, must_strike=must_strike)
                row = self._sampler.draw(self._logits, allowed, sampling)
                yield [row]
                token = self._engine.tokens[row]
                struck |= self._grammar.take(token)
                events += self._decoder.feed(token)
        return events

    def _written(self, start: Tick, strikes: Sequence[tuple[Tick, int, int, Tick]]) -> list[TokenId]:
        """Return the tokens of one beat: waits, due releases, and `strikes` (start, note, velocity, end)."""
        until = start + TICKS_PER_BEAT
        steps: list[tuple[Tick, int, int, TokenId]] = []  # kind 0 releases, 1 strikes: the order within a tick
        sounding = set(self._grammar.sounding) if self.part.note_offs else set()
        ends = {note: max(self._ends.get(note, start), start) for note in sounding}
        for tick, note, velocity, end in strikes:
            if note in ends:
                steps.append((min(ends.pop(note), tick), 0, note, note_token(note, 0)))
            steps.append((tick, 1, note, note_token(note, max(1, velocity_to_bin(velocity)))))
            if self.part.note_offs:
                ends[note] = max(end, tick + 1)
        steps += [(end, 0, note, note_token(note, 0)) for note, end in ends.items() if end < until]
        self._ends = {note: end for note, end in ends.items() if end >= until}
        tokens: list[TokenId] = []
        now = start
        for tick, _, _, token in sorted(steps):
            tokens += wait_tokens(tick - now)
            tokens.append(token)
            now = tick
        return tokens + wait_tokens(until - now)

    def _announced(self, plan: BarPlan, number: int) -> tuple[list[TokenId], list[TokenId]]:
        """Return the control tokens of beat `number`, and the releases of notes that have sounded for too long.

        These are notes held for two bars and, when a chord begins, all notes that have sounded for a beat, as if hands
        and pedal were lifted. A note struck within the last beat may anticipate the chord and stays. Otherwise a model
        that forgets one release in fifty would accumulate notes over hours.
        """
        chord_begins = plan.begins_chord(number) and plan.chords[number - 1].tones
        longest = TICKS_PER_BEAT if chord_begins else LONGEST_HOLD
        sounding = sorted(self._grammar.sounding.items())
        overdue = [note for note, since in sounding if self._grammar.tick - since >= longest]
        for note in overdue:
            del self._grammar.sounding[note]
        return plan.controls(number, self.part.name), [note_token(note, 0) for note in overdue]

    def _known(self, tokens: Sequence[TokenId]) -> list[int]:
        """Return the rows of forced tokens, except those that the model does not know."""
        return [self._row[token] for token in tokens if token in self._row]

    def _feed_rows(self, rows: Sequence[int]) -> None:
        """Step the model over the pending forced rows, then over `rows`."""
        if rows := [*self._unfed, *rows]:
            logits, state = self._engine.step(rows, self._state)
            check_scores(logits)
            self._logits, self._state, self._unfed = logits, state, []


def play_together(
    performers: Sequence[Performer], plans: Sequence[BarPlan], sampling: Sampling, limits: Limits
) -> list[list[NoteEvent]]:
    """Sample the bars of `plans` with each of several performers of one model, with the same result as in sequence.

    The model steps all of them in one batch, which takes a third of the time.

    Returns:
        The events of each performer.
    """
    engine = performers[0]._engine
    played: list[list[NoteEvent]] = [[] for _ in performers]
    waiting: dict[int, deque[int]] = {}
    runs = [
        _bars(performer, plans, sampling, limits, events) for performer, events in zip(performers, played, strict=True)
    ]
    while True:
        for place, run in enumerate(runs):
            if place not in waiting and (rows := next(run, None)):
                waiting[place] = deque(rows)
        if not waiting:
            return played
        stepping = [performers[place] for place in waiting]
        rows = [line.popleft() for line in waiting.values()]
        logits, states = engine.step_batch(rows, [performer._state for performer in stepping])
        for performer, row, state in zip(stepping, logits, states, strict=True):
            performer._logits, performer._state = row, state
        waiting = {place: line for place, line in waiting.items() if line}


def _bars(
    performer: Performer, plans: Sequence[BarPlan], sampling: Sampling, limits: Limits, events: list[NoteEvent]
) -> Iterator[list[int]]:
    """Yield the rows to feed to the model of `performer`, and add the sampled events to `events`."""
    for plan in plans:
        events += yield from performer._sample(plan, sampling, limits)
