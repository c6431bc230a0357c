"""The chords of a song in half bars, and the loop that they repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from radio.compose.listening.key import Key, find_key, weight_in
from radio.music.chord_loops import HALVES, Loop
from radio.music.chord_naming import CHORDS, Times, chord_scores, pitch_class_times
from radio.music.chords import NO_CHORD, Chord
from radio.music.events import Note
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT

_HALF: Final = TICKS_PER_BAR // HALVES
_LOW: Final = 55
"""Notes below stand for the root."""

_ROOT_WEIGHT: Final = 0.1
_FLOOR_WEIGHT: Final = 0.2
_NEAR: Final = TICKS_PER_BEAT // 8
"""Ticks around the beginning of a half bar in which a note counts as struck there."""

_KEY_WEIGHT: Final = 0.06
"""Weight of the functions that chords have in the key."""

_RING: Final = 3 * TICKS_PER_BEAT // 2
"""Shorter notes count as if they sounded for this long: a short chord is heard until the next one."""

_CHANGES: Final = (0.12, 0.4)
"""Costs of a change of chord at a bar line and within a bar."""

_CONTEXT: Final = 4
"""Half bars before and after that make a half bar like another."""
_SHARPNESS: Final = 8
"""Power of the likeness by which half bars share what they hold."""

_RARE: Final = {"6": -0.22, "aug": -0.38, "dim": -0.3, "hdim7": -0.15, "sus": -0.15}
"""Costs of chords that mostly have a plainer name: C6 is Am7."""

_LENGTHS: Final = (4, 2, 8)
"""Lengths of loops in bars, the usual first."""

_LONGER: Final = 0.06
"""Agreement by which an unusual length must be better."""

_ROOTS: Final = np.array([chord.root for chord in CHORDS])
_COSTS: Final = np.array([_RARE.get(chord.quality, 0.0) for chord in CHORDS])


@dataclass(frozen=True, slots=True)
class Passage:
    """Bars of a song: the first one and their number."""

    first: int
    bars: int


def find_harmony(notes: Sequence[Note], bars: int) -> tuple[list[Chord], Key]:
    """Return the chord of each half bar, and the key: chords are found, then the key, then chords that it has."""
    times = pitch_class_times(notes, [0, max(note.end for note in notes)])[0]
    key = find_key(times, _find_chords(notes, bars, 0.0))
    chords = _find_chords(notes, bars, _KEY_WEIGHT * np.array([weight_in(key.tonic, chord) for chord in CHORDS]))
    return chords, find_key(times, chords)


def _find_chords(notes: Sequence[Note], bars: int, prior: Times | float) -> list[Chord]:
    """Return the chord of each half bar: the sequence that fits best, in which changes cost a little (Viterbi).

    What sounds in places that are alike, as the turns of a loop are, counts together.

    Args:
        notes: Of all parts but the drums.
        bars: Length of the piece.
        prior: How likely each of `CHORDS` is.
    """
    edges = range(0, (bars * HALVES + 1) * _HALF, _HALF)
    rung = [replace(note, end=max(note.end, note.start + _RING)) for note in notes]
    times = pitch_class_times(rung, edges)
    low = _shares(pitch_class_times([note for note in rung if note.note < _LOW], edges))
    if not times.any():
        return [NO_CHORD] * (bars * HALVES)
    sums = times.sum(axis=1)
    mass = np.sqrt(np.minimum(1, sums / np.median(sums[sums > 0])))
    floor = _floor(notes, bars * HALVES)
    roots = _ROOT_WEIGHT * low[:, _ROOTS] + _FLOOR_WEIGHT * floor[:, _ROOTS]
    fits = _pooled(chord_scores(times) + roots + _COSTS + prior, _shares(times), low + floor, mass)
    return [CHORDS[place] for place in _best_path(fits * mass[:, None])]


def _floor(notes: Sequence[Note], halves: int) -> Times:
    """Return 1 for the pitch class of the lowest note struck as a half bar begins; shape (half bars, 12)."""
    lowest: dict[int, int] = {}
    for note in notes:
        half, place = divmod(note.start + _NEAR, _HALF)
        if place <= 2 * _NEAR and half < halves and note.note < _LOW:
            lowest[half] = min(note.note, lowest.get(half, note.note))
    floor = np.zeros((halves, 12))
    for half, pitch in lowest.items():
        floor[half, pitch % 12] = 1.0
    return floor


def _pooled(fits: Times, shares: Times, low: Times, mass: Times) -> Times:
    """Return how well chords fit each half bar and those like it, at the same place in their bars."""
    count = len(fits)
    features = np.pad(np.concatenate([shares, 0.5 * low], axis=1), ((_CONTEXT, _CONTEXT), (0, 0)))
    around = np.concatenate([features[shift : shift + count] for shift in range(2 * _CONTEXT + 1)], axis=1)
    around /= np.maximum(np.linalg.norm(around, axis=1, keepdims=True), 1e-9)
    places = np.arange(count) % HALVES
    likeness = np.maximum(around @ around.T, 0) ** _SHARPNESS * (places[:, None] == places) * mass
    pooled: Times = likeness @ fits / np.maximum(likeness.sum(axis=1, keepdims=True), 1e-9)
    return pooled


def _best_path(fits: Times) -> list[int]:
    """Return the chords, as places in `CHORDS`, whose sum of fits less the costs of changes is greatest."""
    best = fits[0].copy()
    before = np.zeros(fits.shape, np.intp)
    for half in range(1, len(fits)):
        changed = best.max() - _CHANGES[half % HALVES]
        before[half] = np.where(best >= changed, np.arange(len(CHORDS)), best.argmax())
        best = np.maximum(best, changed) + fits[half]
    path = [int(best.argmax())]
    for half in range(len(fits) - 1, 0, -1):
        path.append(int(before[half, path[-1]]))
    return path[::-1]


def _shares(times: Times) -> Times:
    shares: Times = times / np.maximum(times.sum(axis=1, keepdims=True), 1e-9)
    return shares


def find_loop(chords: Sequence[Chord], full: Sequence[bool]) -> Passage:
    """Return the passage whose chords the song repeats: two, four or eight bars; the first bars where it repeats none.

    Args:
        chords: One a half bar.
        full: For each bar, whether the keyboard plays enough in it to be taken up.
    """
    bars = len(full)
    lengths = [length for length in _LENGTHS if length <= bars] or [1]
    agreements = {length: _agreement(chords, full, length) for length in lengths}
    length = max(lengths, key=lambda length: agreements[length] - _LONGER * (length != _LENGTHS[0]))
    offset = next((bar for bar in range(bars) if full[bar]), 0) % length
    firsts = range(offset, bars - length + 1, length) or range(max(1, bars - length + 1))
    common = Counter(tuple(chords[first * HALVES : (first + length) * HALVES]) for first in firsts)

    def merit(first: int) -> tuple[float, int, int]:
        own = chords[first * HALVES : (first + length) * HALVES]
        played = sum(full[first : first + length]) / length
        likeness = sum(
            count * sum(a.root == b.root for a, b in zip(own, other, strict=True)) for other, count in common.items()
        ) / (common.total() * len(own))
        return (round(played + likeness, 3), common[tuple(own)], -first)

    return Passage(max(firsts, key=merit), length)


def other_loop(chords: Sequence[Chord], passage: Passage, full: Sequence[bool]) -> Loop | None:
    """Return a loop of the same length that the song has beside that of `passage`; None where there is none."""
    width = passage.bars * HALVES
    own = chords[passage.first * HALVES :][:width]
    loops: Counter[tuple[Chord, ...]] = Counter()
    for first in range(passage.first % passage.bars, len(full) - passage.bars + 1, passage.bars):
        chunk = chords[first * HALVES :][:width]
        alike = sum(a.root == b.root for a, b in zip(own, chunk, strict=True)) / width
        if alike <= 0.5 and all(full[first : first + passage.bars]):
            loops[tuple(chunk)] += 1
    return Loop(loops.most_common(1)[0][0]) if loops else None


def _agreement(chords: Sequence[Chord], full: Sequence[bool], length: int) -> float:
    """Return the share of half bars whose root comes again after `length` bars."""
    pairs = [
        chords[half].root == chords[half + length * HALVES].root
        for half in range(len(chords) - length * HALVES)
        if full[half // HALVES] and full[half // HALVES + length]
    ]
    return sum(pairs) / len(pairs) if pairs else 0.0
