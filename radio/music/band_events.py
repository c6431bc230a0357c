"""Events of a band: three tokens per note, for models that write all instruments together.

Notes are sorted by start. A note is three tokens: the time since the previous note, its length and loudness, and its
instrument and pitch. Times and lengths are in 1/32 notes. A piece begins with `<band>` and a token that says whether it
has drums.

The scheme and the numbers of ids are from Allegro Music Transformer (Aleksandr Sigalov, 2023): 256 times, 128 lengths
at 8 levels of loudness, 12 instruments of 128 pitches, and 272 more ids, three of which are used here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from radio.music.midi_score import DRUM_CHANNEL
from radio.music.vocab import (
    BAND_DRUMS,
    BAND_LENGTHS,
    BAND_NO_DRUMS,
    BAND_PITCHES,
    BAND_START,
    BAND_STEPS,
    BAND_TIMES,
    LONGEST_BAND_NOTE,
    LONGEST_BAND_WAIT,
)
from radio.types import TICKS_PER_BEAT, Tick, TokenId

STEP: Final[Tick] = TICKS_PER_BEAT // 8
"""A 1/32 note."""

INSTRUMENTS: Final = (
    "piano", "guitar", "bass", "strings", "cello", "harp", "brass", "reed", "flute", "drums", "choir", "organ",
)  # fmt: skip
DRUMS: Final = INSTRUMENTS.index("drums")

_FAMILIES: Final = (
    "piano", "harp", "organ", "guitar", "bass", "strings", "choir", "brass",
    "reed", "flute", "flute", "choir", "choir", "guitar", "harp", "harp",
)  # fmt: skip
"""The instrument of each family of eight programs, starting at program 0."""

_OTHERS: Final = {
    42: "cello",
    43: "cello",
    46: "harp",
    47: "harp",
    48: "strings",
    49: "strings",
    50: "strings",
    51: "strings",
}
"""Instruments of programs that differ from the instrument of their family."""

_VELOCITY: Final = 16
"""Number of velocities in one step of loudness."""


class BandNote(NamedTuple):
    """A note: start and length in 1/32 notes, an index into `INSTRUMENTS`, a MIDI note, and a velocity."""

    start: int
    length: int
    instrument: int
    note: int
    velocity: int


def instrument_of(program: int, channel: int) -> int:
    """Return the index into `INSTRUMENTS` that represents a program on a channel."""
    if channel == DRUM_CHANNEL:
        return DRUMS
    return INSTRUMENTS.index(_OTHERS.get(program, _FAMILIES[program // 8]))


def on_grid(start: float, end: float, instrument: int, note: int, velocity: int) -> BandNote:
    """Return a note on the grid of times, lengths and loudness; `start` and `end` are in beats."""
    place = round(start * 8)
    length = min(max(round((end - start) * 8), 1), LONGEST_BAND_NOTE)
    return BandNote(place, length, instrument, note, loudness(velocity // _VELOCITY))


def loudness(step: int) -> int:
    """Return the velocity in the middle of a step of loudness, 0–7."""
    return _VELOCITY * step + _VELOCITY // 2


def encode(notes: Iterable[BandNote]) -> list[TokenId]:
    """Return the tokens of a piece. Longer gaps between notes are shortened to 255 steps."""
    ordered = sorted(notes, key=_order)
    tokens = [BAND_START, BAND_DRUMS if any(note.instrument == DRUMS for note in ordered) else BAND_NO_DRUMS]
    before = ordered[0].start if ordered else 0
    for note in ordered:
        tokens += [
            BAND_TIMES + min(note.start - before, LONGEST_BAND_WAIT),
            BAND_LENGTHS + (note.length - 1) * BAND_STEPS + note.velocity // _VELOCITY,
            BAND_PITCHES + 128 * note.instrument + note.note,
        ]
        before = note.start
    return tokens


def decode(tokens: Sequence[TokenId]) -> list[BandNote]:
    """Return the notes of a piece. Tokens that are out of order are skipped."""
    notes = []
    now, length, velocity = 0, 0, 0
    expected = BAND_TIMES
    for token in tokens:
        if BAND_TIMES <= token < BAND_LENGTHS and expected == BAND_TIMES:
            now += token - BAND_TIMES
            expected = BAND_LENGTHS
        elif BAND_LENGTHS <= token < BAND_PITCHES and expected == BAND_LENGTHS:
            steps, loud = divmod(token - BAND_LENGTHS, BAND_STEPS)
            length, velocity = steps + 1, loudness(loud)
            expected = BAND_PITCHES
        elif BAND_PITCHES <= token < BAND_START and expected == BAND_PITCHES:
            instrument, note = divmod(token - BAND_PITCHES, 128)
            notes.append(BandNote(now, length, instrument, note, velocity))
            expected = BAND_TIMES
    return notes


def order_within_step(instrument: int, note: int) -> int:
    """Return the sort key of a note among those that start together: drums are last, and high notes come first."""
    return (instrument - DRUMS - 1) % len(INSTRUMENTS) * 128 + 127 - note


def pitch_of(token: TokenId) -> int | None:
    """Return the pitch of a note token; None for drums and other tokens."""
    instrument, note = divmod(token - BAND_PITCHES, 128)
    return note if BAND_PITCHES <= token < BAND_START and instrument != DRUMS else None


def _order(note: BandNote) -> tuple[int, int, int, int]:
    """Return the sort key of a note in its piece."""
    return note.start, order_within_step(note.instrument, note.note), note.length, note.velocity
