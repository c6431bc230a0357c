"""Beat tracking in performances that were played without a click.

Source: Daniel Ellis, "Beat Tracking by Dynamic Programming", Journal of New Music Research 36 (2007): a tempo from the
autocorrelation of onsets, and the beats at that tempo that match most of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.errors import MidiError
from radio.music.midi_score import FileNote, Score
from radio.types import BEATS_PER_BAR, Seconds

_FRAME: Final[Seconds] = 0.01
_SMOOTHING: Final = 3
"""Standard deviation of an onset, in frames."""

_SLOWEST, _FASTEST = 52.0, 125.0
_USUAL, _SPREAD = 82.0, 0.9
"""The likeliest tempo in BPM, and the spread of tempos in octaves."""

_TIGHTNESS: Final = 300.0
"""Weight of a steady tempo relative to onsets on beats."""

_LONGEST: Final[Seconds] = 20 * 60.0
_LOW: Final = 52

_EARLY: Final = 0.15
"""Time before a beat, in beats, within which a note counts as struck on it."""

_CHANGES: Final = 2.0
"""Weight of changes of harmony, relative to stress, as evidence of a bar line."""

Frames = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoundBeats:
    """The notes of a performance, with start and end in beats from a bar line, and its tempo in BPM."""

    tempo: float
    placed: list[tuple[float, float, FileNote]]


def find_beats(score: Score) -> FoundBeats:
    """Find the beats of a performance.

    Raises:
        MidiError: The performance is longer than twenty minutes.
    """
    starts = np.array([score.seconds(note.start) for note in score.notes])
    ends = np.array([score.seconds(note.end) for note in score.notes])
    begin = starts[0]
    if starts[-1] - begin > _LONGEST:
        raise MidiError(
            f"its beats must be detected, and it lasts {(starts[-1] - begin) / 60:.0f} minutes; the limit is 20"
        )
    weights = np.array([note.velocity / 100 * (1.5 if note.note < _LOW else 1.0) for note in score.notes])
    strength = _strength(starts - begin, weights)
    beats = _follow(strength, _period(strength)) * _FRAME + begin
    beats = _extended(beats, starts[0], ends.max())
    positions = np.interp(starts, beats, np.arange(len(beats)))
    releases = np.interp(ends, beats, np.arange(len(beats)))
    shift = _bar_line(positions, weights, score.notes)
    placed = [
        (float(start) + shift, max(float(end), float(start) + 0.05) + shift, note)
        for start, end, note in zip(positions, releases, score.notes, strict=True)
    ]
    slope = np.polyfit(np.arange(len(beats)), beats, 1)[0]
    return FoundBeats(60 / float(slope), placed)


def _strength(seconds: Frames, weights: Frames) -> Frames:
    """Return the onset strength of each frame."""
    frames = np.bincount(np.round(seconds / _FRAME).astype(int), weights)
    kernel = np.exp(-0.5 * (np.arange(-3 * _SMOOTHING, 3 * _SMOOTHING + 1) / _SMOOTHING) ** 2)
    smooth = np.convolve(np.sqrt(np.pad(frames, 100)), kernel, mode="same")
    scaled: Frames = smooth / (smooth.std() + 1e-9)
    return scaled


def _period(strength: Frames) -> float:
    """Return the number of frames between two beats."""
    spectrum = np.fft.rfft(strength - strength.mean(), 2 * len(strength))
    alike = np.fft.irfft(np.abs(spectrum) ** 2)[: len(strength)]
    lags = np.arange(round(60 / _FASTEST / _FRAME), round(60 / _SLOWEST / _FRAME) + 1)
    lags = lags[2 * lags < len(alike)]
    if not len(lags):
        return 60 / _USUAL / _FRAME
    likely = np.exp(-0.5 * (np.log2(60 / (lags * _FRAME) / _USUAL) / _SPREAD) ** 2)
    heights = np.maximum(alike[lags] + 0.5 * alike[2 * lags], 0) * likely
    return float(lags[heights.argmax()])


def _follow(strength: Frames, period: float) -> Frames:
    """Return the frames of the beats."""
    steps = np.arange(-round(2 * period), -round(period / 2) + 1)
    costs = -_TIGHTNESS * np.log(-steps / period) ** 2
    scores, before = strength.copy(), np.full(len(strength), -1)
    for frame in range(-int(steps[0]), len(strength)):
        earlier = scores[frame + steps] + costs
        best = int(earlier.argmax())
        if earlier[best] > 0:
            scores[frame] += earlier[best]
            before[frame] = frame + steps[best]
    last = len(scores) - round(2 * period) + int(scores[-round(2 * period) :].argmax())
    beats = [last]
    while before[beats[-1]] >= 0:
        beats.append(int(before[beats[-1]]))
    return np.array(beats[::-1], np.float64) - 100


def _extended(beats: Frames, start: Seconds, end: Seconds) -> Frames:
    """Return the beats from before `start` to after `end`, at least two."""
    if len(beats) < 2:
        beats = np.array([start, start + 60 / _USUAL])
    first, last = beats[1] - beats[0], beats[-1] - beats[-2]
    before = np.arange(beats[0] - first, start - 2 * first, -first)[::-1]
    after = np.arange(beats[-1] + last, end + 2 * last, last)
    return np.concatenate([before, beats, after])


def _bar_line(positions: Frames, weights: Frames, notes: Sequence[FileNote]) -> int:
    """Return the shift of positions, in beats, that makes bars begin on multiples of four.

    Bars begin where the harmony changes, and where low and loud notes begin.
    """
    near = np.round(positions).astype(int)
    struck = np.zeros((int(near.max()) + 1 + BEATS_PER_BAR, 12))
    stress = np.zeros(BEATS_PER_BAR)
    for position, beat, weight, note in zip(positions, near, weights, notes, strict=True):
        struck[int(position + _EARLY), note.note % 12] += weight
        if abs(position - beat) < _EARLY:
            stress[beat % BEATS_PER_BAR] += weight * (2.0 if note.note < _LOW else 0.5)
    changes = np.zeros(BEATS_PER_BAR)
    for beat in range(2, len(struck) - 1):
        before, after = struck[beat - 2 : beat].sum(axis=0), struck[beat : beat + 2].sum(axis=0)
        lengths = float(np.linalg.norm(before) * np.linalg.norm(after))
        if lengths:
            changes[beat % BEATS_PER_BAR] += 1 - float(before @ after) / lengths
    merit = stress / max(stress.sum(), 1e-9) + _CHANGES * changes / max(changes.sum(), 1e-9)
    return int(-merit.argmax() % BEATS_PER_BAR)
