"""The envelope of a note: its attack time and the slope of its decay."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.signal import fftconvolve

from train.instruments.note import RING_RANGE, RINGS_FROM, RINGS_UNTIL
from train.instruments.references import RATE, Signal

_SHORTEST: Final = 0.010
"""Minimum seconds of the window; it spans whole periods, so that the envelope does not follow the wave."""
_STROKE_WINDOW: Final = 0.006
"""Seconds of the window for the attack of a drum; it resolves 2 to 3 ms."""
_ATTACK_SECONDS: Final = 0.5
"""Seconds in which a note reaches its peak."""
_LEAST_DECAY: Final = 0.1
"""Minimum seconds of a decay; a shorter one has no slope."""


def whole_periods(hertz: float) -> float:
    """Return the seconds of the envelope's window for a fundamental; 0 Hz means a drum."""
    return float(np.ceil(_SHORTEST * hertz) / hertz) if hertz else _SHORTEST


def envelope(note: Signal, hertz: float = 0.0) -> Signal:
    """Return the RMS of a note over the window that ends at each millisecond."""
    length, step = round(whole_periods(hertz) * RATE), RATE // 1000
    total = np.concatenate([np.zeros(length + 1), np.cumsum(note**2)])
    ends = np.arange(length, len(total), step)
    return np.asarray(np.sqrt((total[ends] - total[ends - length]) / length))


def attack_time(note: Signal, hertz: float = 0.0) -> float:
    """Return the milliseconds that the envelope takes from 10 % to 90 % of its peak, or to 70 % for a drum (0 Hz).

    The envelope of a drum has several peaks, of nearly the same height, and noise decides which one is highest.
    """
    if hertz:
        level, step, top = envelope(note, hertz)[: round(_ATTACK_SECONDS * 1000)], 1.0, 0.9
    else:
        level, step, top = _stroke(note[: round(_ATTACK_SECONDS * RATE)]), 1000 / RATE, 0.7
    low, high = (_first_above(level, share * float(level.max())) for share in (0.1, top))
    return (high - low) * step


def _stroke(note: Signal) -> Signal:
    """Return the RMS of a drum around each sample; the window is smooth, so that single samples do not count."""
    window = np.hanning(round(_STROKE_WINDOW * RATE))
    return np.asarray(np.sqrt(np.maximum(fftconvolve(note**2, window / window.sum()), 0)))


def decay_slopes(reference: Signal, note: Signal, hertz: float = 0.0) -> tuple[float, float] | None:
    """Return the decay of a reference and of a note in dB per second: slopes of lines fitted to the same part of both.

    The part begins 0.1 seconds after the attack. It ends after two seconds, at the end of the reference, or when the
    reference is 40 dB below its peak, whichever comes first.

    Returns:
        The two slopes, or None if that part is shorter than 0.1 seconds.
    """
    levels = [20 * np.log10(envelope(sound, hertz) + 1e-9) for sound in (reference, note)]
    first, last = round(RINGS_FROM * 1000), min(round(RINGS_UNTIL * 1000), *map(len, levels))
    soft = np.flatnonzero(levels[0][first:last] < levels[0].max() - RING_RANGE)
    last = first + int(soft[0]) if len(soft) else last
    if last - first < _LEAST_DECAY * 1000:
        return None
    moments = np.arange(first, last) / 1000
    goal, slope = (float(-np.polyfit(moments, level[first:last], 1)[0]) for level in levels)
    return goal, slope


def _first_above(level: Signal, threshold: float) -> float:
    """Return the interpolated index at which a level first reaches a threshold."""
    place = int(np.argmax(level >= threshold))
    if place == 0:
        return 0.0
    before, after = level[place - 1 : place + 1]
    return float(place - 1 + (threshold - before) / (after - before))
