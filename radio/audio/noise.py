"""Endless noise in fixed chunks, each determined only by the seed and its number."""

from __future__ import annotations

import math
import zlib
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from radio.types import SAMPLE_RATE, Block, Frames

CHUNK: Frames = 24_000
TAIL: Frames = 4_800
"""A grain lasts CHUNK + TAIL frames: its tail overlaps the next chunk."""
GRAIN: Frames = CHUNK + TAIL

Grain = npt.NDArray[np.float32]
"""(2, GRAIN) float32, or longer if a noise has a longer tail."""
Shape = npt.NDArray[np.float32]
"""The amplitude of a noise at each frequency of a grain's Fourier transform; it may stop before the highest ones."""

FREQUENCIES: npt.NDArray[np.float64] = np.asarray(np.fft.rfftfreq(GRAIN, 1 / SAMPLE_RATE), np.float64)

_ramp = np.sin(np.linspace(0, np.pi / 2, TAIL, endpoint=False) + np.pi / 4 / TAIL).astype(np.float32)
_WINDOW = np.concatenate((_ramp, np.ones(CHUNK - TAIL, np.float32), _ramp[::-1]))
"""The window of a grain: an equal-power crossfade, so the squares of overlapping windows add up to 1."""


class Noise(ABC):
    """An endless texture that never repeats: each chunk is its own grain plus the tail of the previous grain.

    The only state is `position`, which may be set. So rendering can start anywhere, inaudible parts can be skipped, and
    the samples do not depend on the sizes requested.

    Args:
        seed: any integer; each seed gives a different texture.
    """

    tail: ClassVar[Frames] = TAIL
    """Frames by which grains overlap the next chunk, at most CHUNK; long enough for sounds that begin at its end."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.position: Frames = 0
        self._number = -2
        self._grain: Grain = np.zeros((2, CHUNK + self.tail), np.float32)
        self._chunk: Grain = self._grain

    @abstractmethod
    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return the grain that begins with chunk `number` ≥ -1, drawn from its own generator.

        Its shape is (2, CHUNK + tail).
        """

    def render(self, frames: Frames) -> Block:
        """Return the next `frames` frames: (frames, 2) float32, each channel contiguous in memory."""
        out = np.empty((2, frames), dtype=np.float32)
        done = 0
        while done < frames:
            number, start = divmod(self.position, CHUNK)
            self._load(number)
            count = min(CHUNK - start, frames - done)
            out[:, done : done + count] = self._chunk[:, start : start + count]
            self.position += count
            done += count
        return out.T

    def skip(self, frames: Frames) -> None:
        """Advance by `frames` without rendering."""
        self.position += frames

    def seek(self, frame: Frames) -> None:
        """Set the absolute frame of the next sample."""
        self.position = frame

    def _load(self, number: int) -> None:
        if number == self._number:
            return
        previous = self._grain if self._number == number - 1 else self._make(number - 1)
        self._number, self._grain = number, self._make(number)
        self._chunk = self._grain[:, :CHUNK].copy()
        self._chunk[:, : self.tail] += previous[:, CHUNK:]

    def _make(self, number: int) -> Grain:
        name = zlib.crc32(type(self).__name__.encode())
        entropy = [self.seed % 2**64, name, number + 1]
        return self.grain(number, np.random.default_rng(np.random.SeedSequence(entropy)))


def shape(amplitude: npt.NDArray[np.float64], decibels: float) -> Shape:
    """Scale the amplitudes at FREQUENCIES so that `color` returns noise of `decibels` (dBFS RMS)."""
    amplitude = amplitude.copy()
    amplitude[0] = amplitude[-1] = 0
    scale = 10 ** (decibels / 20) * GRAIN / math.sqrt(4 * float(np.square(amplitude).sum()))
    return np.asarray(amplitude * scale, np.float32)


def combine(one: Shape, other: Shape) -> Shape:
    """Return the shape of the sum of two noises, whose powers add."""
    return np.hypot(one, other)


def lower(one: Shape, hertz: float) -> Shape:
    """Return the part of a shape below `hertz`, to save time if the rest is weak."""
    return one[hertz > FREQUENCIES]


def band(low: float, high: float, slope: float) -> npt.NDArray[np.float64]:
    """Return amplitudes that fall by `slope` dB per octave between two corners in Hz, and 12 dB more outside them."""
    f = np.maximum(FREQUENCIES, 1.0)
    return np.asarray(f ** (-slope / 6.02) / ((1 + (low / f) ** 2) * (1 + (f / high) ** 2)))


def color(generator: np.random.Generator, sides: Shape, middle: Shape | None = None) -> Grain:
    """Return noise with the window of a grain applied.

    Args:
        sides: the shape of a noise that is independent in the two channels.
        middle: the shape of a noise that is the same in both channels.
    """
    spectrum = _spectrum(generator, 2, sides)
    if middle is not None:
        spectrum[:, : len(middle)] += _spectrum(generator, 1, middle)
    return np.asarray(np.fft.irfft(spectrum, n=GRAIN, axis=1), np.float32) * _WINDOW


def _spectrum(generator: np.random.Generator, channels: int, amplitudes: Shape) -> npt.NDArray[np.complex64]:
    draws = generator.standard_normal((channels, 2 * len(amplitudes)), dtype=np.float32)
    return np.asarray(draws.view(np.complex64) * amplitudes)


Numbers = npt.NDArray[np.float64]


def ring(
    grain: Grain,
    starts: npt.NDArray[np.int64],
    *,
    hertz: Numbers,
    decay: Numbers,
    peak: Numbers,
    pan: Numbers,
    rise: Numbers | None = None,
) -> None:
    """Add decaying tones to a grain. All arrays have shape (tones,).

    Args:
        grain: changed in place.
        starts: the first frame of each tone, within the chunk.
        hertz: the initial frequency.
        decay: time constant in seconds; all tones last seven times the longest one, at most the length of the tail.
        peak: the initial amplitude, full scale 1.0.
        pan: -1 (left) to 1 (right), at equal power.
        rise: octaves by which the pitch rises during one `decay`.
    """
    if not len(starts):
        return
    count = min(int(7 * decay.max() * SAMPLE_RATE) + 2, grain.shape[1] - CHUNK)
    t = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)
    parameters = (-1 / decay, 2 * math.pi * hertz, peak, (pan + 1) * math.pi / 4)
    rate, frequency, level, angle = (np.asarray(values, np.float32)[:, None] for values in parameters)
    phase = frequency * t
    if rise is not None:
        phase *= 1 + (0.35 * rise / decay).astype(np.float32)[:, None] * t
    tones = np.exp(rate * t)
    tones *= np.cos(phase)
    tones *= level
    panned = np.stack((np.cos(angle), np.sin(angle)), axis=1) * tones[:, None]
    for start, tone in zip(starts.tolist(), panned, strict=True):
        grain[:, start : start + count] += tone
