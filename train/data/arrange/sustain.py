"""Stage `sustain`: hold notes as hand and pedal would, until the chord changes or their voice moves on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from radio.music.chords import NO_CHORD, Chord
from radio.music.events import Note
from radio.music.tokenizer import remove_overlaps
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick
from train.data.corpus.piece import Piece

BREATHS, DETACHED = 0.20, 0.25
"""Shares of bars that end with an eighth of rest, and of melodic notes that are released early."""

EIGHTH: Tick = TICKS_PER_BEAT // 2


def sustain(piece: Piece, random: Random) -> Piece:
    """Hold the highest note of each onset until the next onset, and the others to the end of the chord."""
    ends = chord_ends(piece.chords or [NO_CHORD] * (piece.bars * BEATS_PER_BAR))
    breaths = [random.random() < BREATHS for _ in range(piece.bars)]
    onsets = sorted({note.start for note in piece.notes})
    top: dict[Tick, int] = {}
    for note in piece.notes:
        top[note.start] = max(note.note, top.get(note.start, 0))
    detached = {start: random.random() < DETACHED for start in onsets}
    held = []
    for note in piece.notes:
        limit = ends[note.start // TICKS_PER_BEAT]
        if limit % TICKS_PER_BAR == 0 and breaths[note.start // TICKS_PER_BAR]:
            limit -= EIGHTH
        if note.note == top[note.start]:
            place = bisect_right(onsets, note.start)
            limit = min(limit, onsets[place]) if place < len(onsets) else limit
            if detached[note.start] and limit - note.start >= 2 * EIGHTH:
                limit -= EIGHTH
        held.append(Note(note.start, max(limit, note.start + EIGHTH // 2), note.note, note.velocity))
    return replace(piece, notes=remove_overlaps(sorted(held)))


def chord_ends(chords: Sequence[Chord]) -> list[Tick]:
    """Return, for each beat, the tick at which its chord ends, at the latest the end of the bar."""
    ends = [0] * len(chords)
    for beat in reversed(range(len(chords))):
        last = (beat + 1) % BEATS_PER_BAR == 0 or chords[beat + 1] != chords[beat]
        ends[beat] = (beat + 1) * TICKS_PER_BEAT if last else ends[beat + 1]
    return ends
