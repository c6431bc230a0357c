"""Stage `thinning`: a keyboard part that leaves room, its rhythm taken from the song's own most regular strikes."""

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
"""Median onsets a beat of lo-fi keyboards, and the log-normal spread of sections around it."""

_METRE = {0: 3.0, 120: 1.2, 240: 2.0, 360: 1.2}
_OFF_BEAT, _OTHER = 0.8, 0.2


def thinned(piece: Piece, random: Random) -> Piece:
    """Only the strikes that carry the part: at each section's own density, those that recur, are stressed or full.

    A chord change is struck wherever the song strikes within an eighth of it. Notes struck together with a kept onset
    stay; the others go.
    """
    bars: list[dict[Tick, list[Note]]] = [{} for _ in range(piece.bars)]
    for note in piece.notes:
        bars[note.start // TICKS_PER_BAR].setdefault(note.start % TICKS_PER_BAR, []).append(note)
    kept: list[Note] = []
    for first in range(0, piece.bars, SECTION_BARS):
        section = bars[first : first + SECTION_BARS]
        strikes = round(BEATS_PER_BAR * ONSETS * exp(random.gauss(0.0, SPREAD)))
        regular = Counter(tick for bar in section for tick in bar)
        for number, bar in enumerate(section, first):
            changes = _changes(piece.chords, number)
            moved = _on_changes(bar, changes)
            chosen = _chosen(moved, changes, regular, strikes)
            for tick in chosen:
                start = number * TICKS_PER_BAR + tick
                kept += [Note(start, max(note.end, start + 1), note.note, note.velocity) for note in moved[tick]]
    return replace(piece, notes=sorted(kept))


def _changes(chords: Sequence[Chord], bar: int) -> set[Tick]:
    """Ticks in the bar at which a chord begins: the bar line, and where the chord is another."""
    first = bar * BEATS_PER_BAR
    later = (beat for beat in range(1, BEATS_PER_BAR) if chords and chords[first + beat] != chords[first + beat - 1])
    return {0, *(beat * TICKS_PER_BEAT for beat in later)}


def _on_changes(bar: Mapping[Tick, list[Note]], changes: set[Tick]) -> dict[Tick, list[Note]]:
    """Who comes a little late or early to a chord is put on it."""
    moved = dict(bar)
    for change in changes - moved.keys():
        near = min(moved, key=lambda tick: (abs(tick - change), tick), default=change)
        if near in moved and near not in changes and abs(near - change) <= TICKS_PER_BEAT // 2:
            moved[change] = moved.pop(near)
    return moved


def _chosen(bar: Mapping[Tick, list[Note]], changes: set[Tick], regular: Counter[Tick], strikes: int) -> list[Tick]:
    """The heaviest `strikes` onsets of the bar, and every chord change that is struck."""

    def weight(tick: Tick) -> float:
        metre = _METRE.get(tick, _OFF_BEAT if tick % (TICKS_PER_BEAT // 2) == 0 else _OTHER)
        return metre + 0.6 * regular[tick] + 0.3 * len(bar[tick]) + (10.0 if tick in changes else 0.0)

    fewest = len(changes & bar.keys())
    return sorted(bar, key=lambda tick: (-weight(tick), tick))[: max(fewest, strikes)]
