"""The chords of a song in half bars, and the loop that repeats in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from radio.compose.listening.key import Key, find_key, usual_in
from radio.music.chord_loops import HALVES, Loop
from radio.music.chord_naming import CHORDS, Times, chord_scores, pitch_class_times
from radio.music.chords import NO_CHORD, Chord
from radio.music.events import Note
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT

_HALF: Final = TICKS_PER_BAR // HALVES
_LOW: Final = 58
"""Notes below this one indicate the root."""

_ROOT_WEIGHT: Final = 0.08
_FLOOR_WEIGHT: Final = 0.5
_FLOORS: Final = (1.0, 0.4)
"""Weights of the lowest note at a bar line and in the middle of a bar, where basses often leave the root."""

_NEAR: Final = TICKS_PER_BEAT // 8
"""Ticks around the beginning of a half bar within which a note counts as struck there."""

_KEY_WEIGHT, _LINE_KEY_WEIGHT = 0.027, 0.1
"""Weights of the frequency of chords in the key; it is higher if a single line leaves the chords open."""

_LINE: Final = 1.5
"""Mean number of sounding voices below which a song is a single line."""

_RING: Final = 100
"""Shorter notes count as if they lasted this many ticks: a short chord is in effect until the next one."""

_CHANGES: Final = (0.12, 0.4)
"""Costs of a change of chord at a bar line and within a bar."""

_CONTEXT: Final = 4
"""Half bars before and after a half bar that are compared as well for its similarity to another."""
_SHARPNESS: Final = 8
"""Exponent of the similarity with which half bars are pooled."""

_RARE: Final = {
    "6": -0.14, "aug": -0.38, "dim": -0.3, "hdim7": -0.2, "sus": -0.2, "maj9": -0.2, "min9": -0.15, "maj7": -0.1,
    "min7": -0.05, "dom7": 0.05,
}  # fmt: skip
"""Corrections to the fit of chords: most of these have a plainer name, as C6 is Am7, and large ones fit any notes."""

_LENGTHS: Final = (4, 2, 8)
"""Lengths of loops in bars, the usual one first."""

_LONGER: Final = 0.06
"""Margin in agreement by which an unusual length must be better."""

_OTHER: Final = 0.5
"""Largest share of roots that a different loop may have in common with the first."""

_ODD: Final = 0.5
"""Weight of the oddness of a passage, relative to its similarity to the rest of the song."""

_ROOTS: Final = np.array([chord.root for chord in CHORDS])
_COSTS: Final = np.array([_RARE.get(chord.quality, 0.0) for chord in CHORDS])


@dataclass(frozen=True, slots=True)
class Passage:
    """A range of bars of a song: the first one and their number."""

    first: int
    bars: int


def find_harmony(notes: Sequence[Note], bars: int) -> tuple[list[Chord], Key]:
    """Return the chord of each half bar, and the key.

    The chords are estimated without a key, and the key from them; then both again, with chords weighted by that key.
    """
    times = pitch_class_times(notes, [0, max(note.end for note in notes)])[0]
    key = find_key(times, _find_chords(notes, bars, 0.0))
    weight = _KEY_WEIGHT if times.sum() >= _LINE * bars * TICKS_PER_BAR else _LINE_KEY_WEIGHT
    chords = _find_chords(notes, bars, weight * usual_in(key.tonic, CHORDS))
    return chords, find_key(times, chords)


def _find_chords(notes: Sequence[Note], bars: int, prior: Times | float) -> list[Chord]:
    """Return the chord of each half bar: the sequence that fits best, with a small cost for changes (Viterbi).

    Similar half bars, such as those of a repeated loop, are pooled.

    Args:
        notes: The notes of all parts except the drums.
        bars: Length of the piece.
        prior: Addition to the fit of each of `CHORDS`.
    """
    edges = range(0, (bars * HALVES + 1) * _HALF, _HALF)
    rung = [replace(note, end=max(note.end, note.start + _RING)) for note in notes]
    times = pitch_class_times(rung, edges)
    if not times.any():
        return [NO_CHORD] * (bars * HALVES)
    sums = times.sum(axis=1)
    mass = np.sqrt(np.minimum(1, sums / np.median(sums[sums > 0])))
    low = pitch_class_times([note for note in rung if note.note < _LOW], edges)
    roots = _ROOT_WEIGHT * _shares(low)[:, _ROOTS] + _FLOOR_WEIGHT * _floor(notes, bars * HALVES)[:, _ROOTS]
    alike = _similarity(_shares(times))
    fits = _pooled(chord_scores(times) + _COSTS + prior, alike * mass) + _pooled(roots, alike * low.any(axis=1))
    return [CHORDS[place] for place in _best_path(fits * mass[:, None])]


def _floor(notes: Sequence[Note], halves: int) -> Times:
    """Return the weight of the pitch class of the lowest note at the start of each half bar; shape (half bars, 12)."""
    lowest: dict[int, int] = {}
    for note in notes:
        half, place = divmod(note.start + _NEAR, _HALF)
        if place <= 2 * _NEAR and half < halves and note.note < _LOW:
            lowest[half] = min(note.note, lowest.get(half, note.note))
    floor = np.zeros((halves, 12))
    for half, pitch in lowest.items():
        floor[half, pitch % 12] = _FLOORS[half % HALVES]
    return floor


def _similarity(shares: Times) -> Times:
    """Return the similarity of half bars and their neighbors, 0–1; 0 between first and second halves of bars."""
    count = len(shares)
    padded = np.pad(shares, ((_CONTEXT, _CONTEXT), (0, 0)))
    around = np.concatenate([padded[shift : shift + count] for shift in range(2 * _CONTEXT + 1)], axis=1)
    around /= np.maximum(np.linalg.norm(around, axis=1, keepdims=True), 1e-9)
    places = np.arange(count) % HALVES
    similarity: Times = np.maximum(around @ around.T, 0) ** _SHARPNESS * (places[:, None] == places)
    return similarity


def _pooled(values: Times, weights: Times) -> Times:
    """Return, for each half bar, the mean of `values` over half bars by its `weights`; 0 if they are all 0."""
    pooled: Times = weights @ values / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return pooled


def _best_path(fits: Times) -> list[int]:
    """Return the chords, as indices into `CHORDS`, with the greatest sum of fits minus the costs of changes."""
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


def find_loop(
    chords: Sequence[Chord], full: Sequence[bool], oddness: Callable[[Passage], float] = lambda _: 0.0
) -> Passage:
    """Return the passage whose chords the song repeats: two, four or eight bars; the first bars if it repeats none.

    Args:
        chords: One per half bar.
        full: For each bar, True if the keyboard plays enough in it.
        oddness: Distance of a passage's notes from those of the whole song; a typical passage is preferred.
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
        similarity = sum(
            count * sum(a.root == b.root for a, b in zip(own, other, strict=True)) for other, count in common.items()
        ) / (common.total() * len(own))
        odd = oddness(Passage(first, length))
        return (round(played + similarity - _ODD * odd, 3), common[tuple(own)], -first)

    return Passage(max(firsts, key=merit), length)


def other_passage(
    chords: Sequence[Chord], passage: Passage, full: Sequence[bool], oddness: Callable[[Passage], float] = lambda _: 0.0
) -> Passage | None:
    """Return a passage of the same length over another loop, or over the same one if the song has no other.

    Return None if the song has only one passage.
    """
    width = passage.bars * HALVES
    own = chords[passage.first * HALVES :][:width]
    others: dict[tuple[Chord, ...], list[Passage]] = {}
    again: list[Passage] = []
    for first in range(passage.first % passage.bars, len(full) - passage.bars + 1, passage.bars):
        if first == passage.first or not all(full[first : first + passage.bars]):
            continue
        chunk = chords[first * HALVES :][:width]
        alike = sum(a.root == b.root for a, b in zip(own, chunk, strict=True)) / width
        if alike <= _OTHER:
            others.setdefault(tuple(chunk), []).append(Passage(first, passage.bars))
        elif alike == 1:
            again.append(Passage(first, passage.bars))
    if others:
        again = max(others.values(), key=len)
    return min(again, key=oddness, default=None)


def loop_of(chords: Sequence[Chord], passage: Passage) -> Loop:
    """Return the chords of a passage."""
    return Loop(tuple(chords[passage.first * HALVES : (passage.first + passage.bars) * HALVES]))


def _agreement(chords: Sequence[Chord], full: Sequence[bool], length: int) -> float:
    """Return the share of half bars whose root recurs after `length` bars."""
    pairs = [
        chords[half].root == chords[half + length * HALVES].root
        for half in range(len(chords) - length * HALVES)
        if full[half // HALVES] and full[half // HALVES + length]
    ]
    return sum(pairs) / len(pairs) if pairs else 0.0
