"""A performer: one model that plays bar after bar for ever, its state kept from each to the next."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radio.compose.grammar import Grammar
from radio.compose.plan import BarPlan
from radio.model.engines.base import Array, Engine, State
from radio.model.sampling import Sampler, Sampling
from radio.music.events import NoteEvent
from radio.music.parts import PIANO, Part
from radio.music.tokenizer import DRUM_GATE, TokenDecoder
from radio.music.vocab import START, note_token
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick, TokenId

LONGEST_HOLD: Tick = 2 * TICKS_PER_BAR
"""A note held this long is released by the host at the next beat."""

LOWEST, HIGHEST = 41, 84
OUT_OF_REACH = frozenset({*range(PIANO.low, LOWEST), *range(HIGHEST + 1, PIANO.high + 1)})
"""Notes that no keyboard part strikes: over the hours a model's register wanders, and it was trained in twelve keys."""


@dataclass(frozen=True)
class Saved:
    """A performer between two bars; restoring it goes on bit-identically."""

    state: State
    logits: Array
    generator: Mapping[str, Any]
    counts: Array
    grammar: Grammar
    decoder: TokenDecoder


class Performer:
    """Plays `part` with `engine`, drawing from a generator seeded with `seed`."""

    def __init__(self, engine: Engine, part: Part, seed: Sequence[int]) -> None:
        self.part = part
        self._engine = engine
        self._row = {token: row for row, token in enumerate(engine.tokens)}
        self._sampler = Sampler(engine.tokens, np.random.default_rng(list(seed)))
        self._grammar = Grammar(part, engine.tokens)
        self._decoder = TokenDecoder(hold_limit=LONGEST_HOLD + TICKS_PER_BEAT if part.note_offs else DRUM_GATE)
        self._state = engine.zero_state()
        self._logits: Array = np.zeros(len(engine.tokens), np.float32)
        self._feed([START])

    def play(self, plan: BarPlan, sampling: Sampling) -> list[NoteEvent]:
        """The events of the bar that `plan` describes, which must be the next one; ticks count from bar 0.

        A bar whose planned density is above 0 holds at least one note: where the model lets three beats pass in
        silence, it must strike in the fourth.
        """
        events: list[NoteEvent] = []
        empty = plan.densities[self.part.name] == 0
        struck = empty
        without = OUT_OF_REACH if self.part.note_offs else plan.without
        for number in range(1, BEATS_PER_BAR + 1):
            until = plan.tick + number * TICKS_PER_BEAT
            events += self._announce(plan, number)
            while self._grammar.tick < until:
                must_strike = number == BEATS_PER_BAR and not struck
                allowed = self._grammar.allowed(until, must_strike=must_strike, without=without)
                row = self._sampler.draw(self._logits, allowed, sampling)
                token = self._engine.tokens[row]
                self._logits, self._state = self._engine.step([row], self._state)
                struck |= self._grammar.take(token)
                events += self._decoder.feed(token)
        return events

    def save(self) -> Saved:
        return Saved(
            self._state,
            self._logits,
            copy.deepcopy(dict(self._sampler.generator.bit_generator.state)),
            self._sampler.counts.copy(),
            copy.deepcopy(self._grammar),
            copy.deepcopy(self._decoder),
        )

    def restore(self, saved: Saved) -> None:
        self._state, self._logits = saved.state, saved.logits
        self._sampler.generator.bit_generator.state = dict(copy.deepcopy(saved.generator))
        self._sampler.counts = saved.counts.copy()
        self._grammar = copy.deepcopy(saved.grammar)
        self._decoder = copy.deepcopy(saved.decoder)

    def _announce(self, plan: BarPlan, number: int) -> list[NoteEvent]:
        """Feed what the host says at beat `number`: controls, then the notes it ends.

        Those are notes held for two bars and, where a chord begins, all that have sounded for a beat: hands and pedal
        are lifted. What was struck within the last beat may anticipate the chord and stays. A model that forgets one
        release in fifty would otherwise have a note more sounding than its training music, for ever.
        """
        chord_begins = plan.begins_chord(number) and plan.chords[number - 1].tones
        longest = TICKS_PER_BEAT if chord_begins else LONGEST_HOLD
        sounding = sorted(self._grammar.sounding.items())
        overdue = [note for note, since in sounding if self._grammar.tick - since >= longest]
        releases = [note_token(note, 0) for note in overdue]
        self._feed([*plan.controls(number, self.part.name), *releases])
        for note in overdue:
            del self._grammar.sounding[note]
        return [event for token in releases for event in self._decoder.feed(token)]

    def _feed(self, tokens: Sequence[TokenId]) -> None:
        """Step the model over forced tokens; those it does not know are not fed."""
        rows = [self._row[token] for token in tokens if token in self._row]
        if rows:
            self._logits, self._state = self._engine.step(rows, self._state)
