"""Quantization of notes to the grid of a part."""

from __future__ import annotations

from collections.abc import Iterable

from radio.music.events import Note
from radio.music.parts import Part
from radio.music.tokenizer import remove_overlaps
from radio.types import TICKS_PER_BEAT


def quantize(part: Part, notes: Iterable[tuple[float, float, int, int]]) -> list[Note]:
    """Quantize notes to the grid of `part`, and remove overlaps of equal pitch.

    Args:
        part: its `onsets` and `releases` are the grid.
        notes: (start beat, end beat, note, velocity). Notes that start before beat 0 are dropped.
    """
    placed = []
    for start, end, note, velocity in notes:
        onset = part.nearest_onset(start * TICKS_PER_BEAT)
        if onset < 0:
            continue
        if part.note_offs:
            release = part.nearest_release(end * TICKS_PER_BEAT)
            if release <= onset:
                release = part.nearest_release(onset + TICKS_PER_BEAT / 8)
        else:
            release = onset + 1  # tokens of this part have no note-offs
        placed.append(Note(onset, release, note, velocity))
    return remove_overlaps(placed)
