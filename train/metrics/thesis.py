"""The four metrics of the reference thesis, with the keys and intervals of music21.

Source: Soheil Salimi, "Training a small language model for making lo-fi music" (bachelor's thesis, in Persian, original
title «آموزش یک مدل زبانی کوچک برای ساخت موسیقی lo-fi»), University of Isfahan, Department of Computer Engineering,
September 2024. The thesis gives a formula for rhythm consistency only; the formulas of the others are ours.
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
    """Return the standard deviation of the times between onsets, in beats, as the thesis's notebook reports it."""
    return pstdev(_onset_intervals(passage)) if len(_onset_intervals(passage)) > 1 else 0.0


def rhythm_consistency(passage: Passage) -> float:
    """Return μ / (μ + SD) of the times between onsets, 0–1, as the thesis's text describes it."""
    between = _onset_intervals(passage)
    mean = fmean(between) if between else 0.0
    return mean / (mean + rhythm_spread(passage)) if mean else 1.0


def melodic_similarity(passage: Passage) -> float:
    """Return the mean similarity of the melodic steps of neighboring four-bar phrases, 0–1 (Ratcliff and Obershelp)."""
    phrases: dict[int, list[Note]] = {}
    for top in passage.top_line:
        phrases.setdefault(top.start // (PHRASE_BARS * TICKS_PER_BAR), []).append(top)
    steps = [[later.note - one.note for one, later in pairwise(phrase)] for phrase in phrases.values()]
    pairs = list(pairwise(steps))
    return fmean(SequenceMatcher(None, one, other, autojunk=False).ratio() for one, other in pairs) if pairs else 0.0


def tonal_stability(passage: Passage) -> float:
    """Return the correlation of pitch-class durations with the best key's profile, −1–1 (Krumhansl and Schmuckler)."""
    score: stream.Stream[note.Note] = stream.Stream()
    for played in passage.notes:
        score.insert(played.start / TICKS_PER_BEAT, _to_music21(played))
    return float(score.analyze("key").correlationCoefficient)


def consonance(passage: Passage) -> float:
    """Return the share of intervals between simultaneous onsets that music21 calls consonant, 0–1."""
    consonant = [_consonant(high - low) for low, high in _intervals(passage.notes)]
    return sum(consonant) / len(consonant) if consonant else 1.0


def dissonance(passage: Passage) -> float:
    """Return the share of intervals that are not consonant."""
    return 1 - consonance(passage)


def _onset_intervals(passage: Passage) -> list[float]:
    starts = sorted({played.start for played in passage.notes})
    return [(later - one) / TICKS_PER_BEAT for one, later in pairwise(starts)]


def _to_music21(played: Note) -> note.Note:
    return note.Note(played.note, quarterLength=(played.end - played.start) / TICKS_PER_BEAT)


def _intervals(notes: Sequence[Note]) -> list[tuple[int, int]]:
    onsets: dict[int, list[int]] = {}
    for played in notes:
        onsets.setdefault(played.start, []).append(played.note)
    return [pair for pitches in onsets.values() for pair in combinations(sorted(pitches), 2)]


@cache
def _consonant(semitones: int) -> bool:
    return bool(interval.Interval(semitones).isConsonant())
