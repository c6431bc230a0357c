"""A bass line in progress: pitches drawn one after another from the bass model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.compose.phrase import Phrase
from radio.model.bass_model import HISTORY, PITCHES, BassContext, BassModel
from radio.music.chords import Chord
from radio.music.events import Note
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT, Tick

Weights = npt.NDArray[np.float64]

_MANY_BEATS: Final = 9


@dataclass(frozen=True, slots=True)
class Place:
    """A beat in the harmony: its chord, the following chord, the beats since its chord began, and the beats left."""

    chord: Chord
    following: Chord
    since: int
    left: int


def places_of(chords: Sequence[Chord]) -> list[Place]:
    """Return the place of each beat of repeated chords. A chord that never changes is followed by itself."""
    return [_place(chords, beat) for beat in range(len(chords))]


def _place(chords: Sequence[Chord], beat: int) -> Place:
    count, chord = len(chords), chords[beat]
    left = next((ahead for ahead in range(1, count) if chords[(beat + ahead) % count] != chord), _MANY_BEATS)
    since = next((back for back in range(1, count) if chords[beat - back] != chord), beat + 1) - 1
    following = chords[(beat + left) % count] if left < count else chord
    return Place(chord, following if following.tones else chord, since, left)


class BassLine:
    """A line whose pitches are drawn in order.

    Args:
        model: Probabilities of the next pitch.
        chords: One per beat, repeated.
        random: Generator of the phrase.
        keys: The keys' phrase over the same chords. The line avoids clashes with its notes.
        comfortable: Highest pitch of the usual register.
        highest: Highest pitch.
    """

    def __init__(
        self,
        model: BassModel,
        chords: Sequence[Chord],
        random: Random,
        keys: Phrase | None,
        *,
        comfortable: int,
        highest: int,
    ) -> None:
        self._model = model
        self._places = places_of(chords)
        self._random = random
        self._keys = keys
        self._register = np.exp(-np.maximum(PITCHES - comfortable, 0) / 2.0) * (highest >= PITCHES)
        self._line: list[int] = []
        """The last pitches, latest first."""

    @property
    def last(self) -> int | None:
        """The latest pitch, or None at the start of a line."""
        return self._line[0] if self._line else None

    def restart(self) -> None:
        """Begin another line."""
        self._line = []

    def place(self, tick: Tick) -> Place:
        """Return the place of the beat at `tick`."""
        return self._places[tick // TICKS_PER_BEAT % len(self._places)]

    def probabilities(self, tick: Tick) -> Weights:
        """Return the model's probabilities of `PITCHES` at `tick`, which must have a chord, within the register."""
        place, beat = self.place(tick), tick // TICKS_PER_BEAT
        context = BassContext(
            place.chord, place.following, beat % BEATS_PER_BAR, place.since, place.left, tuple(self._line)
        )
        weights = self._model.probabilities(context).astype(np.float64) * self._register
        scaled: Weights = weights / weights.sum()
        return scaled

    def draw(self, weights: Weights, start: Tick, end: Tick) -> int:
        """Draw a pitch for the time from `start` to `end`, and add it to the line.

        Pitches that clash with the keys for a beat or more are drawn only if no other is possible.
        """
        possible = weights * (self.clashes(start, end) < TICKS_PER_BEAT)
        if not possible.any():
            possible = weights
        pitch = self._random.choices(PITCHES.tolist(), possible.tolist())[0]
        self._line = [pitch, *self._line][:HISTORY]
        return pitch

    def clashes(self, start: Tick, end: Tick) -> npt.NDArray[np.intp]:
        """Return the number of ticks that each of `PITCHES` would clash with the keys from `start` to `end`."""
        return np.array([clash(int(pitch), start, end, self._keys) for pitch in PITCHES])

    def longest(self, pitch: int, start: Tick, end: Tick) -> Tick:
        """Return the latest end, up to `end`, of a note that clashes with the keys for less than a beat."""
        while end - start > TICKS_PER_BEAT // 4 and clash(pitch, start, end, self._keys) >= TICKS_PER_BEAT:
            end -= TICKS_PER_BEAT // 8
        return end


def interval(pitch: int, chord: Chord) -> int:
    """Return the semitones, 0–11, from the chord's root up to the pitch class of `pitch`."""
    return (pitch - chord.root) % 12


def is_in(chord: Chord) -> Weights:
    """Return 1 for each of `PITCHES` that is a tone of the chord, else 0."""
    return np.array([float(int(pitch) % 12 in chord.tones) for pitch in PITCHES])


def is_root(chord: Chord) -> npt.NDArray[np.bool_]:
    """Return True for each of `PITCHES` that is the chord's root."""
    roots: npt.NDArray[np.bool_] = (PITCHES - chord.root) % 12 == 0
    return roots


def clashing(bass: Iterable[Note], keys: Iterable[Note]) -> bool:
    """Return True if a bass note clashes with a key for a beat or more."""
    keys = list(keys)
    return any(
        is_adjacent(note.note, key.note) and min(note.end, key.end) - max(note.start, key.start) >= TICKS_PER_BEAT
        for note in bass
        for key in keys
    )


def is_adjacent(pitch: int, key: int) -> bool:
    """Return True if a key is a semitone above the bass pitch in any octave, or a semitone directly below it."""
    return (key - pitch) % 12 == 1 or key == pitch - 1


def clash(pitch: int, start: Tick, end: Tick, keys: Phrase | None) -> Tick:
    """Return the number of ticks that a bass note clashes with the keys, whose phrase repeats."""
    if keys is None:
        return 0
    turn = start // keys.end * keys.end
    begin, stop = start - turn, end - turn
    return sum(
        min(stop, note.end) - max(begin, note.start)
        for note in keys.notes
        if note.start < stop and note.end > begin and is_adjacent(pitch, note.note)
    )
