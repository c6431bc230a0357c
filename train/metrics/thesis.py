"""The four metrics of the reference thesis, by music21's notions of key and interval.

The thesis names its metrics and gives a formula for the first alone; the others are given theirs here.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations, pairwise
from statistics import fmean, pstdev

from music21 import interval, note, stream

from radio.music.events import Note
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from train.metrics.passage import Passage

PHRASE_BARS = 4


def rhythm_spread(passage: Passage) -> float:
    """Standard deviation of the times between onsets, in beats: what the thesis' notebook reports."""
    return pstdev(_between(passage)) if len(_between(passage)) > 1 else 0.0


def rhythm_consistency(passage: Passage) -> float:
    """μ / (μ + SD) of the times between onsets, 0–1: what the thesis' text describes."""
    between = _between(passage)
    mean = fmean(between) if between else 0.0
    return mean / (mean + rhythm_spread(passage)) if mean else 1.0


def melodic_similarity(passage: Passage) -> float:
    """How like each phrase of four bars is to the next, 0–1: matching blocks of melodic steps (Ratcliff, Obershelp)."""
    phrases: dict[int, list[Note]] = {}
    for each in passage.top_line:
        phrases.setdefault(each.start // (PHRASE_BARS * TICKS_PER_BAR), []).append(each)
    steps = [[later.note - one.note for one, later in pairwise(phrase)] for phrase in phrases.values()]
    pairs = list(pairwise(steps))
    return fmean(SequenceMatcher(None, one, other, autojunk=False).ratio() for one, other in pairs) if pairs else 0.0


def tonal_stability(passage: Passage) -> float:
    """Correlation of the pitch-class durations with the best fitting key's profile, −1–1 (Krumhansl and Schmuckler)."""
    score: stream.Stream[note.Note] = stream.Stream()
    for each in passage.notes:
        score.insert(each.start / TICKS_PER_BEAT, _sounding(each))
    return float(score.analyze("key").correlationCoefficient)


def consonance(passage: Passage) -> float:
    """Share of the intervals within each chord of simultaneous onsets that music21 calls consonant, 0–1."""
    found = [_consonant(high - low) for low, high in _intervals(passage.notes)]
    return sum(found) / len(found) if found else 1.0


def dissonance(passage: Passage) -> float:
    """The share that is not consonant."""
    return 1 - consonance(passage)


def _between(passage: Passage) -> list[float]:
    starts = sorted({each.start for each in passage.notes})
    return [(later - one) / TICKS_PER_BEAT for one, later in pairwise(starts)]


def _sounding(each: Note) -> note.Note:
    return note.Note(each.note, quarterLength=(each.end - each.start) / TICKS_PER_BEAT)


def _intervals(notes: Sequence[Note]) -> list[tuple[int, int]]:
    onsets: dict[int, list[int]] = {}
    for each in notes:
        onsets.setdefault(each.start, []).append(each.note)
    return [pair for pitches in onsets.values() for pair in combinations(sorted(pitches), 2)]


@cache
def _consonant(semitones: int) -> bool:
    return bool(interval.Interval(semitones).isConsonant())
