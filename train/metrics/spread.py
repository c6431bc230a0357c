"""The spread of a station's keys relative to that of real loops, and the distances between its tracks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from radio.types import TICKS_PER_BAR
from train.metrics.keyboard_features import FEWEST_NOTES, WINDOW_BARS, Features, chosen, features
from train.metrics.music import TrackMusic
from train.metrics.references import SPREADS


def window_features(track: TrackMusic) -> dict[int, Features]:
    """Return the features in `SPREADS` of each window of a track's keys, by the number of the window."""
    rows = {}
    for number, cut in enumerate(track.passages["keys"].cut(WINDOW_BARS)):
        if len(cut.notes) >= FEWEST_NOTES:
            start = number * WINDOW_BARS * TICKS_PER_BAR
            late = [track.late[note.start + start, note.note] for note in cut.notes]
            rows[number] = chosen(list(SPREADS), features(cut.notes, late))
    return rows


def spread_ratios(tracks: Sequence[dict[int, Features]]) -> dict[str, float]:
    """Return, for each feature, the interquartile range over all windows divided by that of real loops."""
    rows = np.array([row for windows in tracks for row in windows.values()])
    low, high = np.quantile(rows, (0.25, 0.75), axis=0)
    return {name: float(ours / SPREADS[name]) for name, ours in zip(SPREADS, high - low, strict=True)}


def distance_ratio(runs: Sequence[Sequence[dict[int, Features]]]) -> float:
    """Return the mean distance of the two halves of a track, divided by that of neighboring tracks of a run.

    The distance is that of the mean features, each in interquartile ranges of real loops.
    """
    halves, neighbors = [], []
    for tracks in runs:
        means = []
        for windows in tracks:
            if len(windows) < 2:
                continue
            middle = (max(windows) + 1) / 2
            first = [row for number, row in windows.items() if number < middle]
            second = [row for number, row in windows.items() if number >= middle]
            if first and second:
                halves.append(_distance(np.mean(first, axis=0), np.mean(second, axis=0)))
            means.append(np.mean(list(windows.values()), axis=0))
        neighbors += [_distance(one, other) for one, other in pairwise(means)]
    return float(np.mean(halves) / np.mean(neighbors))


def _distance(one: Features, other: Features) -> float:
    return float(np.linalg.norm((one - other) / np.array(list(SPREADS.values()))))
