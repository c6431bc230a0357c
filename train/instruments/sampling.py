"""The making of samples: resampling, leveling, cutting, and the velocity ranges of layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from scipy.signal import resample_poly

from train.instruments.loudness import VELOCITY, loudness, velocity_gain
from train.instruments.references import RATE, Signal
from train.instruments.soundfont import Sample
from train.instruments.tones import Tone

_HIGHEST_PEAK: Final = 0.97
_ALTERNATION: Final = 5
"""Velocities in a row that play the same variant."""


def resampled(signal: Signal, rate: int) -> Signal:
    """Return a signal at `RATE` resampled to `rate`, without aliasing."""
    ratio = Fraction(rate, RATE)
    if ratio == 1:
        return signal
    return np.asarray(resample_poly(signal, ratio.numerator, ratio.denominator, window=("kaiser", 9.0)))


def level_gain(note: Signal, rate: int, level: float) -> float:
    """Return the factor that gives a note a loudness of `level` dB at `VELOCITY`."""
    return float(10 ** ((level - velocity_gain(VELOCITY) - loudness(note, rate)) / 20))


def levelled(signal: Signal, rate: int, level: float) -> Signal:
    """Return a signal scaled so that its note has a loudness of `level` dB at `VELOCITY`."""
    return bent(signal * level_gain(signal, rate, level))


def bent(signal: Signal) -> Signal:
    """Return a signal whose peaks are compressed into full scale rather than clipped; below 70 % it does not change."""
    knee = 0.7
    room = _HIGHEST_PEAK - knee
    above = np.abs(signal) > knee
    curved = np.sign(signal) * (knee + room * np.tanh((np.abs(signal) - knee) / room))
    return np.asarray(np.where(above, curved, signal))


def looped_sample(name: str, tone: Tone, gain: float, root: int) -> Sample:
    """Return a tone as a sample of a soundfont."""
    audio = bent(tone.audio * gain)
    first, _ = tone.loop
    beyond = audio[first : first + 8]  # interpolation reads past the loop's end
    return Sample(name, np.append(audio, beyond), tone.rate, root, tone.loop)


def trimmed(signal: Signal, rate: int, *, quiet: float = -62.0) -> Signal:
    """Return a signal without its end below `quiet` dB relative to its peak, faded out over at least its last 15 ms."""
    loud = np.flatnonzero(np.abs(signal) > np.abs(signal).max() * 10 ** (quiet / 20))
    cut = signal[: int(loud[-1]) + 1].copy()
    fade = min(len(cut) // 2, max(round(0.015 * rate), len(cut) // 8))
    cut[-fade:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, fade + 1) / fade)
    return cut


def layers(tops: Sequence[int]) -> list[tuple[int, int]]:
    """Return velocity ranges that end at `tops`, from 1 to 127."""
    return list(zip([1, *(top + 1 for top in tops[:-1])], tops, strict=True))


def alternating(velocities: tuple[int, int], variants: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Split a velocity range among variants in turn, so that slightly different hits alternate.

    Yields:
        The variant, and the velocities that play it.
    """
    low, high = velocities
    if variants == 1:
        yield 0, velocities
        return
    for turn, start in enumerate(range(low, high + 1, _ALTERNATION)):
        yield turn % variants, (start, min(start + _ALTERNATION - 1, high))
