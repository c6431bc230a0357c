"""Stage `sustain`: notes are held as hand and pedal hold them, until the harmony or their own voice moves on."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from random import Random

from radio.music.events import Note
from radio.music.tokenizer import without_overlaps
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT, Tick
from train.corpus.piece import Piece

BREATHS, DETACHED = 0.30, 0.25
"""Share of bars that end with the hands lifted for an eighth, and of melodic strikes that are let go early."""

EIGHTH: Tick = TICKS_PER_BEAT // 2


def sustained(piece: Piece, random: Random) -> Piece:
    """`piece` with the highest note of a strike held until the next strike, the others to the end of the chord."""
    ends = _chord_ends(piece, [random.random() < BREATHS for _ in range(piece.bars)])
    onsets = sorted({note.start for note in piece.notes})
    top: dict[Tick, int] = {}
    for note in piece.notes:
        top[note.start] = max(note.note, top.get(note.start, 0))
    detached = {start: random.random() < DETACHED for start in onsets}
    held = []
    for note in piece.notes:
        limit = ends[note.start // TICKS_PER_BEAT]
        if note.note == top[note.start]:
            place = bisect_right(onsets, note.start)
            limit = min(limit, onsets[place]) if place < len(onsets) else limit
            if detached[note.start] and limit - note.start >= 2 * EIGHTH:
                limit -= EIGHTH
        held.append(Note(note.start, max(limit, note.start + EIGHTH // 2), note.note, note.velocity))
    return replace(piece, notes=without_overlaps(sorted(held)))


def _chord_ends(piece: Piece, breaths: list[bool]) -> list[Tick]:
    """Per beat, the tick at which the chord that sounds there ends, its bar at the latest."""
    beats = piece.bars * BEATS_PER_BAR
    ends = [0] * beats
    end = 0
    for beat in reversed(range(beats)):
        if (beat + 1) % BEATS_PER_BAR == 0:
            end = (beat + 1) * TICKS_PER_BEAT - EIGHTH * breaths[beat // BEATS_PER_BAR]
        elif piece.chords and piece.chords[beat + 1] != piece.chords[beat]:
            end = (beat + 1) * TICKS_PER_BEAT
        ends[beat] = end
    return ends
