"""Faults that a listener would notice: empty bars, stuck notes, clashes, and a register that drifts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from train.metrics.music import StationMusic, TrackMusic

_STEADY: Final = ("keys", "bass", "drums")
"""Layers that must play in every bar in which the form has them; a lead may rest."""

_CLASHES: Final = frozenset({-1, 1, 13, 25, 37})
"""Semitones from a bass note to a note of the keys: a semitone below, or above it in any octave."""


def dead_bars(track: TrackMusic) -> int:
    """Count the pairs of bar and layer in which the form has the layer but it is silent."""
    count = 0
    for layer in _STEADY:
        silent = {place for place, bar in enumerate(track.bars) if layer in bar.plan.layers}
        for note in track.passages[layer].notes:
            silent -= set(range(note.start // TICKS_PER_BAR, -(-note.end // TICKS_PER_BAR)))
        count += len(silent)
    return count


def longest_note(track: TrackMusic) -> float:
    """Return the length of the longest note of the pitched layers, in beats."""
    notes = [note for layer in ("keys", "bass", "lead") for note in track.passages[layer].notes]
    return max((note.end - note.start for note in notes), default=0) / TICKS_PER_BEAT


def clashes(track: TrackMusic) -> int:
    """Count pairs of bass and keys that sound a semitone apart for a beat or more."""
    keys = track.passages["keys"].notes
    return sum(
        note.note - low.note in _CLASHES and min(note.end, low.end) - max(note.start, low.start) >= TICKS_PER_BEAT
        for low in track.passages["bass"].notes
        for note in keys
    )


def register_drift(music: StationMusic) -> tuple[float, float]:
    """Return the slope of the tracks' mean pitch over time in semitones per hour, and its standard error."""
    hours, pitches, position = [], [], 0.0
    for track in music.tracks():
        notes = track.passages["keys"].notes
        if notes:
            hours.append((position + track.seconds / 2) / 3600)
            pitches.append(np.mean([note.note for note in notes]))
        position += track.seconds
    if len(hours) < 3:
        return 0.0, float("inf")
    times, values = np.array(hours) - np.mean(hours), np.array(pitches)
    slope = float(times @ values / (times @ times))
    rest = values - values.mean() - slope * times
    return slope, float(np.sqrt(rest @ rest / (len(rest) - 2) / (times @ times)))


def pooled_drift(runs: Sequence[StationMusic]) -> tuple[float, float]:
    """Return the mean drift of several runs, weighted by precision, and its standard error."""
    drifts = [register_drift(run) for run in runs]
    weights = np.array([1 / error**2 for _, error in drifts])
    if not weights.sum():
        return 0.0, float("inf")
    return float(weights @ np.array([slope for slope, _ in drifts]) / weights.sum()), float(weights.sum() ** -0.5)
