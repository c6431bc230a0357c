"""Extraction of notes from the activations of the network.

Source: the method of Bittner et al. (ICASSP 2022), as in `note_creation.py` of the package basic-pitch. Notes begin at
peaks of the onset probability and last while they sound. Other sounding passages become notes too, strongest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from radio.transcription.network import FRAME, LOWEST, Activations
from radio.types import Seconds

_ONSET: Final = 0.5
"""Minimum onset probability of a note."""

_AGAIN: Final = 0.72
"""Minimum onset probability of a note that already sounds: vibrato looks like weaker onsets."""

_HELD: Final = 0.8
"""Minimum probability, over the last `_BEFORE` frames, of a note that already sounds."""

_BEFORE: Final = 6

_SOUND: Final = 0.3
"""Minimum probability for a note to continue."""

_GAP: Final = 11
"""Frames for which a note may fall below `_SOUND`."""

_SHORTEST: Final = 11
"""Frames that a note must exceed: 128 ms."""

_OVERTONES: Final = (12, 19, 24)
_STRONGER, _LONGER = 1.4, 2.0
"""Minimum strength and length of a real note, relative to a false one that is detected below it."""

_TOGETHER: Final[Seconds] = 0.04
_NEIGHBORS: Final = 12
"""Number of notes before and after a note that may have the same onset."""

Frames = npt.NDArray[np.float32]


class HeardNote(NamedTuple):
    """A note of a recording: start, end, MIDI note, and mean probability that it sounds, 0–1."""

    start: Seconds
    end: Seconds
    note: int
    strength: float


def find_notes(activations: Activations) -> list[HeardNote]:
    """Return the notes of a recording, in order of their onsets."""
    sounding = activations.sounding
    rest = sounding.copy()
    notes: list[tuple[int, int, int]] = []

    def take(start: int, end: int, column: int) -> None:
        rest[start:end, max(0, column - 1) : column + 2] = 0  # also the neighboring columns, which respond too
        if end - start > _SHORTEST:
            notes.append((start, end, column))

    before = np.lib.stride_tricks.sliding_window_view(np.pad(sounding, ((_BEFORE, 0), (0, 0))), _BEFORE, axis=0)
    least = np.where(before[:-1].min(axis=-1) >= _HELD, _AGAIN, _ONSET)
    frames, columns = np.nonzero(_peaks(_beginnings(activations)) >= least)
    for start, column in zip(frames[::-1].tolist(), columns[::-1].tolist(), strict=True):
        end = start + 1 + _reach(rest[start + 1 :, column])
        if end - start > _SHORTEST:
            take(start, end, column)
    while rest.size and rest.max() > _SOUND:
        middle, column = divmod(int(rest.argmax()), rest.shape[1])
        end = middle + 1 + _reach(rest[middle + 1 :, column])
        take(middle - _reach(rest[:middle, column][::-1]), end, column)
    return _without_undertones(
        sorted(
            HeardNote(start * FRAME, end * FRAME, LOWEST + column, float(sounding[start:end, column].mean()))
            for start, end, column in notes
        )
    )


def _without_undertones(notes: Sequence[HeardNote]) -> list[HeardNote]:
    """Return the notes without false ones: short and weak, with a real note among their overtones."""
    strong = []
    for place, note in enumerate(notes):
        near = notes[max(0, place - _NEIGHBORS) : place + _NEIGHBORS]
        if not any(
            other.note - note.note in _OVERTONES
            and abs(other.start - note.start) < _TOGETHER
            and other.strength > _STRONGER * note.strength
            and other.end - other.start > _LONGER * (note.end - note.start)
            for other in near
        ):
            strong.append(note)
    return strong


def _beginnings(activations: Activations) -> Frames:
    """Return the onset probabilities, increased where the probability of a note rises suddenly."""
    sounding, beginning = activations.sounding, activations.beginning
    before = np.pad(sounding, ((2, 0), (0, 0)))
    rise = np.minimum(sounding - before[1:-1], sounding - before[:-2]).clip(0)
    rise[:2] = 0
    highest = rise.max(initial=0)
    return np.maximum(beginning, rise * (beginning.max() / highest)) if highest > 0 else beginning


def _peaks(values: Frames) -> Frames:
    """Return the local maxima over time; other values are 0."""
    inner = values[1:-1]
    peaks = np.zeros_like(values)
    peaks[1:-1] = np.where((inner > values[:-2]) & (inner > values[2:]), inner, 0)
    return peaks


def _reach(column: Frames) -> int:
    """Return the number of frames for which a note continues, until it is quiet for `_GAP` frames."""
    loud = np.flatnonzero(column >= _SOUND)
    breaks = np.flatnonzero(np.diff(loud, prepend=-1) > _GAP)
    loud = loud[: breaks[0]] if len(breaks) else loud
    return int(loud[-1]) + 1 if len(loud) else 0
