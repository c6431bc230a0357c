"""Stage `touch`: soften the velocities, and keep the song's accents on a smaller scale."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from radio.music.events import Note
from radio.types import TICKS_PER_BAR
from train.data.corpus.piece import Piece

SECTION_BARS = 4
SOFT, PIECES, WITHIN = 66.5, 5.0, 4.2
"""Median velocity of lo-fi keyboards, the spread of pieces around it, and the spread within four bars."""


def soften(piece: Piece, random: Random) -> Piece:
    """Scale the velocities of each section to a soft mean and a small spread; loud notes stay louder."""
    center = random.gauss(SOFT, PIECES)
    sections: dict[int, list[Note]] = {}
    for note in piece.notes:
        sections.setdefault(note.start // (SECTION_BARS * TICKS_PER_BAR), []).append(note)
    result = []
    for notes in sections.values():
        mean = sum(note.velocity for note in notes) / len(notes)
        spread = (sum((note.velocity - mean) ** 2 for note in notes) / len(notes)) ** 0.5
        scale = WITHIN / spread if spread > WITHIN else 1.0
        result += [
            Note(n.start, n.end, n.note, min(110, max(30, round(center + (n.velocity - mean) * scale)))) for n in notes
        ]
    return replace(piece, notes=sorted(result))
