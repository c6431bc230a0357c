"""The bass of a groove: two or three notes per bar on the kick, in a recurring pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.compose.bass_line import BassLine, Weights, interval, is_in, is_root
from radio.compose.phrase import chord_at
from radio.model.bass_model import LOWEST, PITCHES
from radio.music.chords import Chord
from radio.music.events import Note
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, Tick

COMFORTABLE, HIGHEST = 41, 45
"""Most notes are at or below F2, and none is above A2."""

ROOTS: Final = 0.6
"""Share of roots in a line."""

_NEAR: Final = 0.1
"""Distance from `ROOTS` that costs a candidate nothing."""
_CANDIDATES: Final = 3

_FEWEST, _MOST = 2, 3
_APART: Final[Tick] = TICKS_PER_BEAT // 2
"""Smallest distance between two onsets."""
_SPARE: Final[Sequence[Tick]] = (240, 300, 180, 420)
"""Onsets that are added to a bar with too few kicks."""

_ROOT_RANGE: Final = (0.6, 0.92)
"""Range of the probability of a root where a chord begins."""
_OTHER_RANGE: Final = (0.12, 0.6)
"""Range of the probability of a root elsewhere."""

_PASSING: Final = 0.12
"""Weight of a pitch outside the chord."""
_APPROACH: Final = 2.5
"""Weight of a pitch a semitone or a whole tone from the next chord's root, on the last note before it."""
_REMEMBERED: Final = 10.0
"""Weight of the degree that was first drawn for this place in the pattern."""
_OCTAVE: Final = 6.0
"""Weight of the octave above the previous note, if that was the root, except where a chord begins."""

_LENGTHS: Final[Mapping[str, Sequence[Tick]]] = {
    "short": (30, 30, 45, 60),
    "mixed": (30, 60, 90, 120, 240),
    "long": (90, 120, 240, 240),
}
_ARTICULATIONS: Final = (0.25, 0.5, 0.25)
_BREATH: Final[Tick] = 5

_MEAN: Final = 76.0
_ACCENTS: Final[Mapping[Tick, float]] = {0: 8.0, 240: 3.0}
_SLOT_SPREAD, _NOTE_SPREAD = 4.0, 2.5
_SOFTEST, _LOUDEST = 52, 104

_THIRDS: Final = frozenset({2, 3, 4, 5})
_FIFTHS: Final = frozenset({6, 7, 8})


@dataclass(frozen=True, slots=True)
class _Slot:
    """A note of the pattern: its tick in the bar, its greatest length, and its accent in steps of velocity."""

    onset: Tick
    length: Tick
    accent: float


@dataclass(frozen=True, slots=True)
class _Onset:
    """A note without a pitch: its tick and latest end, slot, place in the pattern, and True if a chord begins there."""

    tick: Tick
    end: Tick
    slot: _Slot
    key: tuple[int, Tick]
    begins: bool


def groove(
    line: BassLine, chords: Sequence[Chord], bars: int, kicks: Sequence[frozenset[Tick]], random: Random
) -> list[Note]:
    """Return a line on the kicks: a recurring rhythm, pitches that follow the chords, and a varied last bar."""
    pattern = _draw_pattern(kicks or [frozenset()], random)
    rhythm = _rhythm(pattern, chords, bars, kicks, random)
    candidates = [_draw_notes(line, rhythm, chords, bars, random) for _ in range(_CANDIDATES)]
    return min(candidates, key=lambda notes: max(0.0, abs(_root_share(notes, chords) - ROOTS) - _NEAR))


def _root_share(notes: Sequence[Note], chords: Sequence[Chord]) -> float:
    roots = sum(note.note % 12 == chord_at(chords, note.start).root for note in notes)
    return roots / max(1, len(notes))


def _draw_notes(
    line: BassLine, rhythm: Sequence[_Onset], chords: Sequence[Chord], bars: int, random: Random
) -> list[Note]:
    """Draw pitches and velocities for a rhythm."""
    line.restart()
    begin_share, other_share = _root_shares(rhythm)
    degrees: dict[tuple[int, Tick], str] = {}
    notes: list[Note] = []
    for number, onset in enumerate(rhythm):
        following = rhythm[(number + 1) % len(rhythm)]
        chord = chord_at(chords, onset.tick)
        end = min(onset.end, onset.tick + onset.slot.length)
        share = begin_share if onset.begins else other_share
        varied = bars > 1 and onset.tick >= (bars - 1) * TICKS_PER_BAR
        weights = _weights(line, onset, chord, None if varied else degrees.get(onset.key))
        if not onset.begins and following.begins:
            weights = weights * _approaches(chord_at(chords, following.tick))
        pitch = line.draw(_with_roots(weights, is_root(chord), share), onset.tick, end)
        if not onset.begins:
            degrees.setdefault(onset.key, _degree(pitch, chord))
        velocity = round(random.gauss(_MEAN + onset.slot.accent, _NOTE_SPREAD))
        end = line.longest(pitch, onset.tick, end)
        notes.append(Note(onset.tick, end, pitch, min(max(velocity, _SOFTEST), _LOUDEST)))
    return notes


def _draw_pattern(kicks: Sequence[frozenset[Tick]], random: Random) -> list[list[_Slot]]:
    """Draw the slots of each bar of the drum loop."""
    articulation = random.choices(list(_LENGTHS), _ARTICULATIONS)[0]
    return [
        [_slot(onset, articulation, random) for onset in _draw_onsets(bar, random, needs_first=place == 0)]
        for place, bar in enumerate(kicks)
    ]


def _slot(onset: Tick, articulation: str, random: Random) -> _Slot:
    accent = _ACCENTS.get(onset, -4.0) + random.gauss(0.0, _SLOT_SPREAD)
    return _Slot(onset, random.choice(_LENGTHS[articulation]), accent)


def _draw_onsets(kicks: frozenset[Tick], random: Random, *, needs_first: bool) -> list[Tick]:
    """Draw two or three onsets from the kicks of a bar, adding spare ones if there are too few."""
    count = random.choices((_FEWEST, _MOST), (0.45, 0.55))[0]
    onsets = [0] if needs_first or 0 in kicks or not kicks else []
    candidates = sorted(kicks)
    random.shuffle(candidates)
    for tick in candidates:
        if len(onsets) < count and _is_apart(tick, onsets):
            onsets.append(tick)
    for tick in _SPARE:
        if len(onsets) < _FEWEST and _is_apart(tick, onsets):
            onsets.append(tick)
    return sorted(onsets)


def _is_apart(tick: Tick, onsets: Sequence[Tick]) -> bool:
    return all(abs(tick - other) >= _APART for other in onsets)


def _rhythm(
    pattern: Sequence[Sequence[_Slot]],
    chords: Sequence[Chord],
    bars: int,
    kicks: Sequence[frozenset[Tick]],
    random: Random,
) -> list[_Onset]:
    """Return the onsets of the whole line: the pattern, and a note where each chord begins."""
    placed: list[tuple[Tick, _Slot, tuple[int, Tick], bool]] = []
    for bar in range(bars):
        place, line = bar % len(pattern), bar * TICKS_PER_BAR
        slots = {slot.onset: slot for slot in pattern[place]}
        begins = [tick for tick in range(0, TICKS_PER_BAR, TICKS_PER_BEAT) if _begins(chords, line + tick)]
        if bar == bars - 1 > 0:
            slots |= _extra(slots, kicks[bar % len(kicks)] if kicks else frozenset(), random)
        model = next(iter(slots.values()))
        onsets = {tick: slots.get(tick) or _Slot(tick, model.length, _ACCENTS.get(tick, 0.0)) for tick in begins}
        for tick, slot in sorted(slots.items()):
            if tick not in onsets and _is_apart(tick, begins) and len(onsets) < max(_MOST, len(begins)):
                onsets[tick] = slot
        placed += [(line + tick, slot, (place, tick), tick in begins) for tick, slot in sorted(onsets.items())]
    sounding = [entry for entry in placed if chord_at(chords, entry[0]).tones]
    ends = [tick for tick, *_ in sounding[1:]] + [bars * TICKS_PER_BAR] * bool(sounding)
    return [
        _Onset(tick, min(end, _chord_end(chords, tick)) - _BREATH, slot, key, begins)
        for (tick, slot, key, begins), end in zip(sounding, ends, strict=True)
    ]


def _begins(chords: Sequence[Chord], tick: Tick) -> bool:
    return tick == 0 or chord_at(chords, tick) != chord_at(chords, tick - TICKS_PER_BEAT)


def _chord_end(chords: Sequence[Chord], tick: Tick) -> Tick:
    """Return the tick at which the chord at `tick` ends, at most a bar later."""
    beat = tick // TICKS_PER_BEAT
    ends = (beat + ahead for ahead in range(1, 5))
    end = next((end for end in ends if chord_at(chords, end * TICKS_PER_BEAT) != chord_at(chords, tick)), beat + 4)
    return end * TICKS_PER_BEAT


def _extra(slots: Mapping[Tick, _Slot], kicks: frozenset[Tick], random: Random) -> dict[Tick, _Slot]:
    """Return a slot on the last free kick of a bar, as a variation."""
    free = [tick for tick in sorted(kicks) if _is_apart(tick, list(slots))]
    return {free[-1]: _Slot(free[-1], _APART, random.gauss(0.0, _SLOT_SPREAD))} if free else {}


def _root_shares(rhythm: Sequence[_Onset]) -> tuple[float, float]:
    """Return the probabilities of a root where a chord begins and elsewhere, for a share of `ROOTS` in the line."""
    begins = sum(onset.begins for onset in rhythm)
    rest = len(rhythm) - begins
    begin_share = _ROOT_RANGE[1]
    other_share = (ROOTS * len(rhythm) - begin_share * begins) / max(1, rest)
    if other_share < _OTHER_RANGE[0] and begins:
        begin_share = (ROOTS * len(rhythm) - _OTHER_RANGE[0] * rest) / begins
    return (
        min(max(begin_share, _ROOT_RANGE[0]), _ROOT_RANGE[1]),
        min(max(other_share, _OTHER_RANGE[0]), _OTHER_RANGE[1]),
    )


def _weights(line: BassLine, onset: _Onset, chord: Chord, degree: str | None) -> Weights:
    """Return the model's probabilities, weighted toward chord tones and the pattern's degree at this place."""
    weights = line.probabilities(onset.tick) * np.maximum(is_in(chord), _PASSING)
    if onset.begins:
        low = np.where(PITCHES < LOWEST + 12, 1.0, 0.15)
        return weights * low * np.maximum(is_in(chord), 1e-3)
    if line.last is not None and interval(line.last, chord) == 0 and line.last + 12 <= HIGHEST:
        weights[line.last + 12 - LOWEST] *= _OCTAVE
    if degree is not None:
        weights = weights * [_REMEMBERED if _degree(int(pitch), chord) == degree else 1.0 for pitch in PITCHES]
    return weights


def _approaches(chord: Chord) -> Weights:
    """Return weights that favor the neighbors of the chord's root."""
    near = np.isin((PITCHES - chord.root) % 12, (1, 2, 10, 11))
    weights: Weights = np.where(near, _APPROACH / _PASSING, 1.0)
    return weights


def _with_roots(weights: Weights, roots: npt.NDArray[np.bool_], share: float) -> Weights:
    """Return the weights, scaled so that the roots have a probability of `share`."""
    inside, outside = weights[roots].sum(), weights[~roots].sum()
    scale: Weights = np.where(roots, share / max(inside, 1e-12), (1 - share) / max(outside, 1e-12))
    return weights * scale


def _degree(pitch: int, chord: Chord) -> str:
    """Return the degree of a pitch: a root, an octave, a third, a fifth or a seventh."""
    semitones = interval(pitch, chord)
    if semitones == 0:
        return "root" if pitch < LOWEST + 12 else "octave"
    if semitones in _THIRDS:
        return "third"
    return "fifth" if semitones in _FIFTHS else "seventh"
