"""A performer of a whole band: one model samples the events of all layers, bar by bar.

A note is three tokens: the time since the previous note, its length and loudness, and its instrument and pitch
(`radio.music.band_events`). These models know neither bars nor chords, so the host enforces both: pitches are in the
scale or the chord, and those of long notes only in the chord. The model always plays all layers, and the layers that
the plan leaves out are muted. Each layer therefore plays as much as the model intends, and returns in step. Any allowed
sequence gives events with a release for every strike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from radio.compose.band_table import LAYERS, BandTable, Mask
from radio.compose.plan import BarPlan, Request
from radio.errors import ModelError
from radio.model.engines.base import Array, Engine, State
from radio.model.sampling import GeneratorState, Sampler, Sampling, check_scores
from radio.music.band_events import STEP, loudness
from radio.music.events import NoteEvent
from radio.music.tokenizer import DRUM_GATE
from radio.music.vocab import (
    BAND_DRUMS,
    BAND_LENGTHS,
    BAND_NO_DRUMS,
    BAND_START,
    BAND_STEPS,
    BAND_TIMES,
    LONGEST_BAND_WAIT,
)
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick

_BEAT: Final = TICKS_PER_BEAT // STEP
_BAR: Final = TICKS_PER_BAR // STEP
_HELD: Final = _BEAT
"""Notes of at least this length, in 1/32 notes, must be in the chord."""
_LONGEST: Final = 2 * _BAR
_SHORTEST: Final = 1

_MOST: Final = MappingProxyType({"keys": 6, "bass": 1, "drums": 4, "lead": 1})
"""Most notes that a layer may strike together. In a layer limited to one, a note ends the previous one."""

_LEANING: Final = 3.0
"""Difference between the logits of a layer's notes at density 1 and at density 0."""
_HURRY: Final = 2.0
"""Difference between density 0 and density 1 in the logits of times, per doubling of the time."""

_COLDEST: Final = 0.05
"""Lowest temperature at which layers are weighed against each other."""

_UNDRAWN: Final = -1


@dataclass(frozen=True)
class BandState:
    """The state of a performer between two bars.

    now: step (1/32 note) of the last note. following: step of the next note; -1 before it is drawn. last: sort key of
    the last note within its step. struck: notes of each layer at `now`. ends: end ticks of the sounding notes.
    """

    state: State
    logits: Array
    generator: GeneratorState
    counts: Array
    now: int
    following: int
    last: int
    struck: Mapping[str, tuple[int, ...]]
    ends: Mapping[str, Mapping[int, Tick]]


@dataclass(frozen=True, slots=True)
class _Frame:
    """The conditions of a bar: its plan, the scale of its key, and the bias on the logits."""

    plan: BarPlan
    scale: frozenset[int]
    lean: Array
    sampling: Sampling


class BandPerformer:
    """A performer that plays all layers with one model.

    Args:
        engine: Engine of a model of the part `band`.
        seed: Seed of the random generator.
    """

    def __init__(self, engine: Engine, seed: Sequence[int]) -> None:
        self._engine = engine
        self._table = BandTable(engine.tokens)
        self._state = engine.zero_state()
        self._columns = self._state.memory.shape[1:]
        self._logits = np.zeros(len(engine.tokens), np.float32)
        self._sampler = Sampler(engine.tokens, np.random.default_rng(list(seed)))
        self._now, self._following, self._last = 0, _UNDRAWN, -1
        self._struck: dict[str, list[int]] = {}
        self._ends: dict[str, dict[int, Tick]] = {}
        self.reset(seed, bar=0, drums=True)

    def reset(self, seed: Sequence[int], *, bar: int, drums: bool) -> dict[str, list[NoteEvent]]:
        """Forget everything and begin a new piece at a bar line.

        Returns:
            The releases of the sounding notes, by layer.
        """
        tick = bar * TICKS_PER_BAR
        releases = {layer: [NoteEvent(tick, note, 0) for note in sorted(ends)] for layer, ends in self._ends.items()}
        self._sampler = Sampler(self._engine.tokens, np.random.default_rng(list(seed)))
        self._state = self._engine.zero_state()
        self._ends = {layer: {} for layer in LAYERS}
        # A piece begins with its first note, as in the training data.
        self._move_to(bar * _BAR)
        self._following = self._now
        self._feed([self._table.row[t] for t in (BAND_START, BAND_DRUMS if drums else BAND_NO_DRUMS, BAND_TIMES)])
        return releases

    def play(
        self, plan: BarPlan, scale: frozenset[int], request: Request, sampling: Sampling
    ) -> dict[str, list[NoteEvent]]:
        """Sample the bar that `plan` describes, which must be the next one.

        Args:
            plan: Layers and chords of the bar.
            scale: Pitch classes of the key.
            request: The densities of the layers.
            sampling: Temperature and the other sampling settings.

        Returns:
            The events of each layer, sorted by tick; ticks count from bar 0 of the station.
        """
        events: dict[str, list[NoteEvent]] = {layer: [] for layer in LAYERS}
        end = (plan.number + 1) * _BAR
        if plan.begins_chord(1):
            self._end_pitches_by(plan.tick)
        frame = _Frame(plan, scale, self._leaning(request), sampling)
        while self._next_step(frame) < end:
            self._draw_note(frame, events)
        self._release(end * STEP, events)
        for played in events.values():
            played.sort(key=lambda event: (event.tick, event.velocity > 0))
        return events

    def save(self) -> BandState:
        """Return everything that the next bar depends on."""
        return BandState(
            self._state,
            self._logits,
            GeneratorState.of(self._sampler.generator),
            self._sampler.counts.copy(),
            self._now,
            self._following,
            self._last,
            {layer: tuple(notes) for layer, notes in self._struck.items()},
            {layer: dict(ends) for layer, ends in self._ends.items()},
        )

    def restore(self, saved: BandState) -> None:
        """Continue from a saved state. Raises ModelError if it is from another model."""
        if saved.logits.shape != self._logits.shape or saved.state.memory.shape[1:] != self._columns:
            raise ModelError("the state of the band is from another model")
        self._state, self._logits = saved.state, saved.logits
        saved.generator.restore(self._sampler.generator)
        self._sampler.counts = saved.counts.copy()
        self._now, self._following, self._last = saved.now, saved.following, saved.last
        self._struck = {layer: list(notes) for layer, notes in saved.struck.items()}
        self._ends = {layer: dict(ends) for layer, ends in saved.ends.items()}

    def _feed(self, rows: Sequence[int]) -> None:
        logits, state = self._engine.step(rows, self._state)
        check_scores(logits)
        self._logits, self._state = logits, state

    def _draw(self, allowed: Mask, lean: Array, sampling: Sampling) -> int:
        """Draw a row and feed it to the model."""
        row = self._sampler.draw(self._logits + lean, allowed, sampling)
        self._feed([row])
        return row

    def _move_to(self, step: int) -> None:
        self._now, self._last = step, -1
        self._struck = {layer: [] for layer in LAYERS}

    def _leaning(self, request: Request) -> Array:
        """Return the bias that the densities add to the logits."""
        by_layer = {"keys": request.density, "drums": request.drums_density, "lead": request.lead_density}
        lean = -_HURRY * (request.density - 0.5) * np.log2(1 + np.maximum(self._table.waits, 0))
        for layer, density in by_layer.items():
            lean[self._table.of_layers([layer])] = _LEANING * (density - 0.5)
        leaning: Array = lean.astype(np.float32)
        return leaning

    def _next_step(self, frame: _Frame) -> int:
        """Return the step of the next note, drawing it if necessary: in this bar or the next one."""
        if self._following == _UNDRAWN:
            table = self._table
            least = 0 if (self._free() & self._in_harmony(frame, _SHORTEST)).any() else 1
            most = min((self._now // _BAR + 2) * _BAR - 1 - self._now, LONGEST_BAND_WAIT)
            row = self._draw((table.waits >= least) & (table.waits <= most), frame.lean, frame.sampling)
            self._following = self._now + int(table.waits[row])
        return self._following

    def _free(self) -> Mask:
        """Return a mask of the notes that may be struck at `now`: later in the order, in layers that are not full."""
        table = self._table
        free = table.playable & (table.orders > self._last)
        for layer, notes in self._struck.items():
            if notes:
                full = len(notes) >= _MOST[layer]
                free &= ~(table.of_layers([layer]) & (np.isin(table.notes, notes) | full))
        return free

    def _in_harmony(self, frame: _Frame, length: int) -> Mask:
        """Return a mask of the notes that fit the harmony at `now` if they last `length` steps."""
        tones = frame.plan.chords[self._now % _BAR // _BEAT].tones
        return self._table.of_classes(tones if tones and length >= _HELD else frame.scale | tones)

    def _draw_pitch(self, frame: _Frame, length: int) -> int:
        """Draw the row of a note that fits the harmony, without changing the probability of each layer."""
        free = self._free()
        fitting = free & self._in_harmony(frame, length)
        if not fitting.any():
            fitting = free & self._in_harmony(frame, _SHORTEST)
        scores = (self._logits + frame.lean).astype(np.float64)
        powers = np.exp((scores - scores[free].max()) / max(frame.sampling.temperature, _COLDEST))
        lean = frame.lean.copy()
        for layer in LAYERS:
            notes = self._table.of_layers([layer])
            rest, whole = powers[notes & fitting].sum(), powers[notes & free].sum()
            if rest > 0:
                lean[notes] += np.float32(frame.sampling.temperature * np.log(whole / rest))
        return self._draw(fitting, lean, frame.sampling)

    def _draw_note(self, frame: _Frame, events: Mapping[str, list[NoteEvent]]) -> None:
        """Draw the next note. If its layer is audible, add its strike and the releases up to it."""
        table = self._table
        if self._following > self._now:
            self._move_to(self._following)
        self._following = _UNDRAWN
        lengths = (table.lengths > 0) & (table.lengths <= _LONGEST)
        length_row = self._draw(lengths, frame.lean, frame.sampling)
        length = int(table.lengths[length_row])
        row = self._draw_pitch(frame, length)
        layer, note, tick = LAYERS[table.layers[row]], int(table.notes[row]), self._now * STEP
        self._last = int(table.orders[row])
        self._struck[layer].append(note)
        if layer not in frame.plan.layers:
            return
        self._release(tick, events)
        for ended in [*self._ends[layer]] if _MOST[layer] == 1 else [note]:
            if self._ends[layer].pop(ended, None) is not None:
                events[layer].append(NoteEvent(tick, ended, 0))
        velocity = loudness((self._engine.tokens[length_row] - BAND_LENGTHS) % BAND_STEPS)
        events[layer].append(NoteEvent(tick, note, velocity))
        sounds = DRUM_GATE if layer == "drums" else min(length, _until_change(frame.plan, self._now)) * STEP
        self._ends[layer][note] = tick + sounds

    def _end_pitches_by(self, tick: Tick) -> None:
        """Limit the ends of all sounding notes except drums to `tick`."""
        for layer, ends in self._ends.items():
            if layer != "drums":
                self._ends[layer] = {note: min(end, tick) for note, end in ends.items()}

    def _release(self, until: Tick, events: Mapping[str, list[NoteEvent]]) -> None:
        """Add the releases of all notes that end at or before `until`."""
        for layer, ends in self._ends.items():
            events[layer].extend(NoteEvent(end, note, 0) for note, end in ends.items() if end <= until)
            self._ends[layer] = {note: end for note, end in ends.items() if end > until}


def _until_change(plan: BarPlan, step: int) -> int:
    """Return the number of steps until another chord begins in the bar; if none does, the longest length of a note."""
    later = range(step % _BAR // _BEAT + 2, BEATS_PER_BAR + 1)
    return next((plan.number * _BAR + (beat - 1) * _BEAT - step for beat in later if plan.begins_chord(beat)), _LONGEST)
