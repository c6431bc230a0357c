"""Distances between the keys of a primed station and those of its file and of nine others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from radio.compose.bar import Bar
from radio.compose.listening.song import song_of
from radio.music import midi
from radio.music.events import Note
from radio.music.midi_parts import PartChoice
from radio.music.tokenizer import events_to_notes
from radio.settings.station import StationSettings
from radio.station.factory import open_composer
from radio.types import BEATS_PER_BAR, SKIP, TICKS_PER_BAR

_FOLLOWING: Final = 16
"""Measured bars of a primed track."""

_OTHERS: Final = 9
_COMPARED: Final = ("pitch classes", "notes a beat", "strikes a beat", "register")
_DENSITIES: Final = slice(12, 14)

_NEAR: Final = 1.1
"""Factor of density that is hardly audible."""

Features = npt.NDArray[np.float64]
Figures = dict[str, dict[str, float]]


def following_figures(paths: Sequence[Path], settings: StationSettings, count: int, seed: int) -> Figures:
    """Prime a station with each of `count` files, and compare 16 bars of its next two tracks with the files.

    The keys are compared by the histogram of their pitch classes, their notes per beat, their strikes per beat (chords
    counted once), and their mean pitch. The nearest of ten by all of these is the file with the smallest sum of
    distances, each in units of its mean over all pairs of files. Two more columns show how distinct the files are: the
    first 16 bars of the file itself, and its second half, compared with the first halves of the ten.

    Returns:
        Columns by name: the share of files that are the nearest of ten, by each measure, and that are close in density.
    """
    songs = [song_of(midi.read(path), PartChoice()).keys for path in paths]
    whole = [features(keys) for keys in songs]
    halves = [_halves(keys) for keys in songs]
    firsts = [features(first) for first, _ in halves]
    results: dict[str, list[dict[str, float]]] = {}
    for number in tqdm(range(min(count, len(paths))), desc="primed"):
        rivals = [number, *((number + step) % len(paths) for step in range(1, _OTHERS + 1))]
        excerpt = [note for note in songs[number] if note.start < _FOLLOWING * TICKS_PER_BAR]
        tracks = _tracks(paths[number], settings, seed + number)
        for name, bars in zip(("first track", "second track"), tracks, strict=True):
            notes = events_to_notes([event for bar in bars for event in bar.events["keys"]])
            results.setdefault(name, []).append(_compared(features(notes), whole, rivals))
        results.setdefault("the file's own first bars", []).append(_compared(features(excerpt), whole, rivals))
        results.setdefault("its halves", []).append(_compared(features(halves[number][1]), firsts, rivals))
    return {name: {row: fmean(one[row] for one in rows) for row in rows[0]} for name, rows in results.items()}


def _tracks(path: Path, settings: StationSettings, seed: int) -> Iterator[list[Bar]]:
    """Yield the first bars of the first two tracks of a station after priming."""
    primed = replace(settings, prime=path)
    composer = open_composer(primed, seed)
    yield [composer.next_bar(primed.controls, write_ahead=False) for _ in range(_FOLLOWING)]
    composer.act(SKIP, primed.controls)
    yield [composer.next_bar(primed.controls, write_ahead=False) for _ in range(_FOLLOWING)]


def _halves(notes: Sequence[Note]) -> tuple[list[Note], list[Note]]:
    """Return the notes of the first and of the second half of the bars."""
    middle = (notes[-1].start // TICKS_PER_BAR + 1) // 2 * TICKS_PER_BAR
    return [note for note in notes if note.start < middle], [note for note in notes if note.start >= middle]


def features(notes: Sequence[Note]) -> Features:
    """Return the histogram of pitch classes, notes and strikes per beat in bars with notes, and the mean pitch."""
    histogram = np.bincount([note.note % 12 for note in notes], [note.end - note.start for note in notes], 12)
    bars = {note.start // TICKS_PER_BAR for note in notes}
    beats = BEATS_PER_BAR * max(1, len(bars))
    densities = len(notes) / beats, len({note.start for note in notes}) / beats
    return np.array([*(histogram / max(histogram.sum(), 1e-9)), *densities, fmean(note.note for note in notes)])


def _compared(own: Features, songs: Sequence[Features], places: Sequence[int]) -> dict[str, float]:
    """Compare music with ten songs, the first of which is its own: 1 if that is the nearest or close, else 0."""
    distances = _distances(own, [songs[place] for place in places]) / _scales(songs)
    columns = {**dict(zip(_COMPARED, distances.T, strict=True)), "all of these": distances.sum(axis=1)}
    nearest = {f"nearest of ten, by {name}": float(values[0] <= values[1:].min()) for name, values in columns.items()}
    ratios = np.exp2(np.abs(np.log2(own[_DENSITIES] / songs[places[0]][_DENSITIES])))
    near = {f"{name}, within 10 %": float(ratio <= _NEAR) for name, ratio in zip(_COMPARED[1:3], ratios, strict=True)}
    return nearest | near


def _distances(own: Features, songs: Sequence[Features]) -> Features:
    """Return the distances from each song by each of `_COMPARED`; shape (songs, 4)."""
    table = np.array(songs)
    classes = np.abs(table[:, :12] - own[:12]).sum(axis=1)
    densities = np.abs(np.log2(table[:, _DENSITIES] / own[_DENSITIES]))
    return np.stack([classes, *densities.T, np.abs(table[:, 14] - own[14])], axis=1)


def _scales(songs: Sequence[Features]) -> Features:
    scales: Features = np.mean([_distances(song, songs) for song in songs], axis=(0, 1))
    return np.maximum(scales, 1e-9)


def following_table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return the figures as a Markdown table."""
    rows = next(iter(figures.values()))
    lines = [f"| share of files | {' | '.join(figures)} |", f"| --- |{' ---: |' * len(figures)}"]
    return "\n".join(
        [*lines, *(f"| {row} | {' | '.join(f'{column[row]:.0%}' for column in figures.values())} |" for row in rows)]
    )
