"""Attributes: measures of four bars of a pitched part, as tokens that ask a model for a texture.

A phrase has one level for each attribute. Training drops attributes at random, so a model also plays without them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from radio.music.events import Note
from radio.music.vocab import ATTRIBUTE_LEVELS, CLASSES_BASE, LENGTH_BASE, ONSETS_BASE, REGISTER_BASE, VOICES_BASE
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick, TokenId

PHRASE_BARS: Final = 4
"""Bars that one set of attributes describes. Its tokens precede the first beat of each of them: models forget soon."""

ONSETS_EDGES: Final = (0.35, 0.6, 0.85, 1.1, 1.4, 1.8, 2.4)
VOICES_EDGES: Final = (1.15, 1.6, 2.3, 3.0, 3.7, 4.5, 5.4)
LENGTH_EDGES: Final = (0.3, 0.45, 0.65, 0.9, 1.3, 1.9, 2.8)
"""Values at which the next level begins."""

_SAMPLE: Final[Tick] = TICKS_PER_BEAT // 8


@dataclass(frozen=True, slots=True)
class Attributes:
    """Measures of a phrase; None leaves an attribute to the model.

    onsets: strikes per beat, with a chord counted once. voices: mean number of simultaneous notes, silence excluded.
    length: mean length of a note in beats. classes: distinct pitch classes struck per bar, averaged over bars with
    notes. register: mean pitch, as a MIDI note.
    """

    onsets: float | None = None
    voices: float | None = None
    length: float | None = None
    classes: float | None = None
    register: float | None = None

    @property
    def tokens(self) -> tuple[TokenId, ...]:
        """The tokens of the attributes that are not None, in the order of the training data."""
        levels = (
            (ONSETS_BASE, self.onsets, ONSETS_EDGES),
            (VOICES_BASE, self.voices, VOICES_EDGES),
            (LENGTH_BASE, self.length, LENGTH_EDGES),
        )
        tokens = [base + bisect_right(edges, value) for base, value, edges in levels if value is not None]
        if self.classes is not None:
            tokens.append(CLASSES_BASE + min(max(round(self.classes), 1), ATTRIBUTE_LEVELS) - 1)
        if self.register is not None:
            tokens.append(REGISTER_BASE + min(max(round(self.register), 0), 127))
        return tuple(tokens)


def measure(notes: Sequence[Note], bars: int) -> Attributes:
    """Return the attributes of the first `bars` bars; all are None if there are no notes."""
    end = bars * TICKS_PER_BAR
    notes = [note for note in notes if 0 <= note.start < end]
    if not notes:
        return Attributes()
    sounding = [0] * (end // _SAMPLE)
    classes: dict[int, set[int]] = {}
    for note in notes:
        classes.setdefault(note.start // TICKS_PER_BAR, set()).add(note.note % 12)
        first = note.start // _SAMPLE
        for place in range(first, max(first + 1, min(note.end, end) // _SAMPLE)):
            sounding[place] += 1
    counts = [count for count in sounding if count]
    return Attributes(
        onsets=len({note.start for note in notes}) / (bars * BEATS_PER_BAR),
        voices=sum(counts) / len(counts),
        length=sum(min(note.end, end) - note.start for note in notes) / len(notes) / TICKS_PER_BEAT,
        classes=sum(map(len, classes.values())) / len(classes),
        register=sum(note.note for note in notes) / len(notes),
    )
