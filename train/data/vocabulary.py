"""The tokens that the model of a part knows, and tables from token ids to the model's rows."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from radio.errors import SettingsError
from radio.music.band_events import DRUMS
from radio.music.chord_loops import HALF_BEATS
from radio.music.drum_pads import PADS
from radio.music.parts import BAND, CHORDS, Part
from radio.music.vocab import (
    ATTRIBUTE_LEVELS,
    BACKBEAT,
    BAND_BASE,
    BAND_END,
    BAND_LENGTHS,
    BAND_PITCHES,
    BAND_START,
    BAND_STEPS,
    CLASSES_BASE,
    DENSITIES,
    DENSITY_BASE,
    FILL,
    GROOVE,
    LENGTH_BASE,
    MAX_WAIT,
    MODE_BASE,
    MOOD_BASE,
    ONSETS_BASE,
    QUALITIES,
    QUALITY_BASE,
    REGISTER_BASE,
    ROOT_BASE,
    SECTION_BASE,
    SECTIONS,
    START,
    STYLE_BASE,
    STYLES,
    TABLE_SIZE,
    VELOCITY_BINS,
    VOICES_BASE,
    beat_token,
    is_attribute,
    is_control,
    note_token,
    parse_note_token,
    style_token,
    wait_token,
)
from radio.types import BEATS_PER_BAR, MODES, MOODS, Tick, TokenId

STANDARDS = "jazz"
"""The style of jazz standards, the only style that a model of chords knows."""

UNKNOWN = -1
STEP: Tick = 5
"""Notes start and end at multiples of this within a beat, and waits are multiples of it."""

Rows = npt.NDArray[np.int64]


def known_tokens(part: Part) -> tuple[TokenId, ...]:
    """Return the token ids that a model of `part` has rows for, in ascending order.

    A model of a band has all ids of events. A model of notes has waits in steps of five ticks, notes and controls, and
    for a pitched part also attributes. A model of chords has chords, the beats on which they may begin, modes, moods,
    styles and sections.
    """
    if part is BAND:
        return tuple(range(BAND_BASE, BAND_END))
    if part is CHORDS:
        return (
            START,
            *(beat_token(number) for number in HALF_BEATS),
            *range(ROOT_BASE, ROOT_BASE + 12),
            *(QUALITY_BASE + place for place, quality in enumerate(QUALITIES) if quality != "none"),
            *range(MODE_BASE, MODE_BASE + len(MODES)),
            *range(MOOD_BASE, MOOD_BASE + len(MOODS)),
            style_token(STANDARDS),
            *range(SECTION_BASE, SECTION_BASE + len(SECTIONS)),
        )
    tokens = [START]
    tokens += [wait_token(ticks) for ticks in range(STEP, MAX_WAIT + 1, STEP)]
    notes = range(part.low, part.high + 1) if part.note_offs else sorted(set(PADS.values()))
    tokens += [note_token(note, loud) for note in notes for loud in range(0 if part.note_offs else 1, VELOCITY_BINS)]
    tokens += [beat_token(number) for number in range(1, BEATS_PER_BAR + 1)]
    if part.note_offs:
        tokens += range(ROOT_BASE, ROOT_BASE + 12)
        tokens += range(QUALITY_BASE, QUALITY_BASE + len(QUALITIES))
    tokens += range(DENSITY_BASE, DENSITY_BASE + DENSITIES)
    if not part.note_offs:
        tokens += [*range(STYLE_BASE, STYLE_BASE + len(STYLES)), GROOVE, FILL, BACKBEAT]
    else:
        for base in (ONSETS_BASE, VOICES_BASE, LENGTH_BASE, CLASSES_BASE):
            tokens += range(base, base + ATTRIBUTE_LEVELS)
        tokens += range(REGISTER_BASE + part.low, REGISTER_BASE + part.high + 1)
    return tuple(tokens)


def _is_forced(part: Part, token: TokenId) -> bool:
    """Return True for tokens that the host decides: all controls, except the chords and beats of a model of chords."""
    if part is BAND:
        return token >= BAND_START
    if part is CHORDS:
        return token in (START, style_token(STANDARDS)) or token >= MODE_BASE
    return token == START or is_control(token)


def without_attributes(ids: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Return the tokens of a piece without attributes."""
    return ids[(ids < ONSETS_BASE) | (ids >= REGISTER_BASE + 128)]


class Table(Protocol):
    """The rows of a model's tokens.

    forced: True for each row whose token the host decides; such tokens have no loss.
    is_pitched: True if pieces may be transposed.
    attributes: True for each row of an attribute.
    """

    tokens: tuple[TokenId, ...]
    forced: npt.NDArray[np.bool_]
    is_pitched: bool
    attributes: npt.NDArray[np.bool_]

    def rows(self, ids: npt.NDArray[np.uint16], *, semitones: int = 0, louder: int = 0) -> Rows:
        """Return the rows of a piece, transposed by `semitones` and with velocities `louder` bins up."""


class RowTable(Table):
    """A table from token ids to rows of one part, with transposition and changes of velocity."""

    def __init__(self, part: Part, tokens: tuple[TokenId, ...]) -> None:
        self.part = part
        self.tokens = tokens
        self._row = {token: row for row, token in enumerate(tokens)}
        self._tables: dict[tuple[int, int], Rows] = {}
        self.forced = np.array([_is_forced(part, token) for token in tokens])
        self.is_pitched = part.note_offs or part is BAND
        self.attributes = np.array([is_attribute(token) for token in tokens])

    def rows(self, ids: npt.NDArray[np.uint16], *, semitones: int = 0, louder: int = 0) -> Rows:
        """Return the rows of `ids`, transposed by `semitones` within the part's range, and `louder` velocity bins up.

        A model that knows no attributes leaves them out.

        Raises:
            SettingsError: The model does not know some other token.
        """
        key = (semitones, louder)
        if key not in self._tables:
            self._tables[key] = self._table(semitones, louder)
        if len(ids) and int(ids.max()) >= TABLE_SIZE:
            raise SettingsError(f"token {int(ids.max())} is outside the vocabulary of {TABLE_SIZE} tokens")
        ids = ids if self.attributes.any() else without_attributes(ids)
        rows = self._tables[key][ids]
        if (rows == UNKNOWN).any():
            raise SettingsError(f"a {self.part.name} model does not know token {int(ids[rows == UNKNOWN][0])}")
        return rows

    def _table(self, semitones: int, louder: int) -> Rows:
        table = np.full(TABLE_SIZE, UNKNOWN, dtype=np.int64)
        for token in range(TABLE_SIZE):
            moved = token
            pair = parse_note_token(token)
            if pair is not None:
                note, velocity_bin = pair
                if self.part.note_offs:
                    note = self.part.fold(note + semitones)
                if velocity_bin:
                    velocity_bin = min(max(velocity_bin + louder, 1), VELOCITY_BINS - 1)
                moved = note_token(note, velocity_bin)
            elif ROOT_BASE <= token < ROOT_BASE + 12:
                moved = ROOT_BASE + (token - ROOT_BASE + semitones) % 12
            elif REGISTER_BASE <= token < REGISTER_BASE + 128:
                moved = REGISTER_BASE + self.part.fold(token - REGISTER_BASE + semitones)
            elif BAND_LENGTHS <= token < BAND_PITCHES:
                length, step = divmod(token - BAND_LENGTHS, BAND_STEPS)
                moved = BAND_LENGTHS + BAND_STEPS * length + min(max(step + louder, 0), BAND_STEPS - 1)
            elif BAND_PITCHES <= token < BAND_START:
                instrument, note = divmod(token - BAND_PITCHES, 128)
                if instrument != DRUMS:
                    moved = BAND_PITCHES + 128 * instrument + self.part.fold(note + semitones)
            table[token] = self._row.get(moved, UNKNOWN)
        return table
