"""Events of a band: three tokens a note, for models that write all instruments together.

Notes are in order of their beginnings. Each is the time since the note before it, its length with its loudness, and
its instrument with its pitch; times and lengths are in 1/32 notes. A piece begins with `<band>`, and with a token that
says if it has drums.

The idea is that of Allegro Music Transformer (Aleksandr Sigalov, 2023), and so are the numbers of ids: 256 times, 128
lengths in 8 steps of loudness, 12 instruments of 128 pitches, and 272 more, of which three are used here.
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

PROGRAMS: Final = (0, 24, 33, 48, 42, 46, 56, 66, 73, 0, 52, 16)
"""The General MIDI program that stands for each instrument; of the drums, the kit."""

_FAMILIES: Final = (
    "piano", "harp", "organ", "guitar", "bass", "strings", "choir", "brass",
    "reed", "flute", "flute", "choir", "choir", "guitar", "harp", "harp",
)  # fmt: skip
"""The instrument of each eight programs, from 0 on."""

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
"""Instruments of programs that are not those of their eight."""

_VELOCITY: Final = 16
"""Velocities of one step."""


class BandNote(NamedTuple):
    """A note: its start and its length in 1/32 notes, an index of `INSTRUMENTS`, a MIDI note, and a velocity."""

    start: int
    length: int
    instrument: int
    note: int
    velocity: int


def instrument_of(program: int, channel: int) -> int:
    """Return the instrument, as an index of `INSTRUMENTS`, that a program on a channel is taken for."""
    if channel == DRUM_CHANNEL:
        return DRUMS
    return INSTRUMENTS.index(_OTHERS.get(program, _FAMILIES[program // 8]))


def on_grid(start: float, end: float, instrument: int, note: int, velocity: int) -> BandNote:
    """Return a note, whose start and end are in beats, on the grid of times, lengths and loudness."""
    place = round(start * 8)
    length = min(max(round((end - start) * 8), 1), LONGEST_BAND_NOTE)
    return BandNote(place, length, instrument, note, loudness(velocity // _VELOCITY))


def loudness(step: int) -> int:
    """Return the velocity in the middle of a step, 0–7."""
    return _VELOCITY * step + _VELOCITY // 2


def encode(notes: Iterable[BandNote]) -> list[TokenId]:
    """Return the tokens of a piece. A rest of more than 255 steps is shortened to them."""
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
    """Return the notes of a piece from its first note on. Tokens out of their order are passed over."""
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
    """Return the place of a note among those that begin together: the drums are last, and high notes first."""
    return (instrument - DRUMS - 1) % len(INSTRUMENTS) * 128 + 127 - note


def pitch_of(token: TokenId) -> int | None:
    """Return the pitch that a token names, if its instrument has pitches; None for drums and other tokens."""
    instrument, note = divmod(token - BAND_PITCHES, 128)
    return note if BAND_PITCHES <= token < BAND_START and instrument != DRUMS else None


def _order(note: BandNote) -> tuple[int, int, int, int]:
    """Return the place of a note in its piece."""
    return note.start, order_within_step(note.instrument, note.note), note.length, note.velocity
