"""Stage `thinning`: reduce a part to the song's most regular onsets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp
from random import Random

from radio.music.chords import Chord
from radio.music.events import Note
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick
from train.data.corpus.piece import Piece

SECTION_BARS = 4
ONSETS, SPREAD = 1.08, 0.32
"""Median onsets per beat of lo-fi keyboards, and the log-normal spread of sections around it."""

_METER = {0: 3.0, 120: 1.2, 240: 2.0, 360: 1.2}
_OFF_BEAT, _OTHER = 0.8, 0.2


def thin(piece: Piece, random: Random) -> Piece:
    """Keep the onsets that recur, are stressed, or have many notes, as many as each section's random density allows.

    An onset within an eighth of a chord change is moved to it and kept. All notes of a kept onset stay.
    """
    bars: list[dict[Tick, list[Note]]] = [{} for _ in range(piece.bars)]
    for note in piece.notes:
        bars[note.start // TICKS_PER_BAR].setdefault(note.start % TICKS_PER_BAR, []).append(note)
    notes: list[Note] = []
    for first in range(0, piece.bars, SECTION_BARS):
        section = bars[first : first + SECTION_BARS]
        strikes = round(BEATS_PER_BAR * ONSETS * exp(random.gauss(0.0, SPREAD)))
        regular = Counter(tick for bar in section for tick in bar)
        for number, bar in enumerate(section, first):
            changes = _changes(piece.chords, number)
            moved = _move_to_changes(bar, changes)
            chosen = _heaviest(moved, changes, regular, strikes)
            for tick in chosen:
                start = number * TICKS_PER_BAR + tick
                notes += [Note(start, max(note.end, start + 1), note.note, note.velocity) for note in moved[tick]]
    return replace(piece, notes=sorted(notes))


def _changes(chords: Sequence[Chord], bar: int) -> set[Tick]:
    """Return the ticks in the bar at which a chord begins: the bar line and each change."""
    first = bar * BEATS_PER_BAR
    later = (beat for beat in range(1, BEATS_PER_BAR) if chords and chords[first + beat] != chords[first + beat - 1])
    return {0, *(beat * TICKS_PER_BEAT for beat in later)}


def _move_to_changes(bar: Mapping[Tick, list[Note]], changes: set[Tick]) -> dict[Tick, list[Note]]:
    """Move onsets that are a little early or late onto their chord change."""
    moved = dict(bar)
    for change in changes - moved.keys():
        near = min(moved, key=lambda tick: (abs(tick - change), tick), default=change)
        if near in moved and near not in changes and abs(near - change) <= TICKS_PER_BEAT // 2:
            moved[change] = moved.pop(near)
    return moved


def _heaviest(bar: Mapping[Tick, list[Note]], changes: set[Tick], regular: Counter[Tick], strikes: int) -> list[Tick]:
    """Return the `strikes` onsets with the highest weight in the bar, and all onsets on chord changes."""

    def weight(tick: Tick) -> float:
        meter = _METER.get(tick, _OFF_BEAT if tick % (TICKS_PER_BEAT // 2) == 0 else _OTHER)
        return meter + 0.6 * regular[tick] + 0.3 * len(bar[tick]) + (10.0 if tick in changes else 0.0)

    fewest = len(changes & bar.keys())
    return sorted(bar, key=lambda tick: (-weight(tick), tick))[: max(fewest, strikes)]
