"""Endless noise from a seed: made in fixed chunks that depend on the seed and their number alone."""

from __future__ import annotations

import math
import zlib
from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from radio.types import SAMPLE_RATE, Block, Frames

CHUNK: Frames = 24_000
TAIL: Frames = 4_800
"""A grain lasts CHUNK + TAIL frames: its tail sounds into the next chunk."""
GRAIN: Frames = CHUNK + TAIL

Grain = npt.NDArray[np.float32]
"""(2, GRAIN) float32."""
Shape = npt.NDArray[np.float32]
"""A noise's amplitude at each frequency of a grain's Fourier transform, or at the lowest ones where it ends early."""

FREQUENCIES: npt.NDArray[np.float64] = np.asarray(np.fft.rfftfreq(GRAIN, 1 / SAMPLE_RATE), np.float64)

_ramp = np.sin(np.linspace(0, np.pi / 2, TAIL, endpoint=False) + np.pi / 4 / TAIL).astype(np.float32)
_WINDOW = np.concatenate((_ramp, np.ones(CHUNK - TAIL, np.float32), _ramp[::-1]))
"""Fades grains of noise into one another at equal power: the squares of what overlaps add up to 1."""


class Noise(ABC):
    """A texture without end and without a loop: each chunk is its own grain and the tail of the grain before.

    Stateless but for `position`, which may be set: any place can be rendered at once, what nobody hears may be skipped,
    and whole and split are bit-identical.

    Args:
        seed: any integer; another seed gives another texture.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.position: Frames = 0
        self._number = -2
        self._grain: Grain = np.zeros((2, GRAIN), np.float32)
        self._chunk: Grain = self._grain

    @abstractmethod
    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """The sound that begins with chunk `number` ≥ -1, drawn from a generator of its own."""

    def render(self, frames: Frames) -> Block:
        """The next `frames` frames: (frames, 2) float32, each channel's frames adjacent."""
        out = np.empty((2, frames), dtype=np.float32)
        done = 0
        while done < frames:
            number, start = divmod(self.position, CHUNK)
            self._turn_to(number)
            count = min(CHUNK - start, frames - done)
            out[:, done : done + count] = self._chunk[:, start : start + count]
            self.position += count
            done += count
        return out.T

    def skip(self, frames: Frames) -> None:
        """Let `frames` pass that nobody hears."""
        self.position += frames

    def _turn_to(self, number: int) -> None:
        if number == self._number:
            return
        before = self._grain if self._number == number - 1 else self._make(number - 1)
        self._number, self._grain = number, self._make(number)
        self._chunk = self._grain[:, :CHUNK].copy()
        self._chunk[:, :TAIL] += before[:, CHUNK:]

    def _make(self, number: int) -> Grain:
        name = zlib.crc32(type(self).__name__.encode())
        entropy = [self.seed % 2**64, name, number + 1]
        return self.grain(number, np.random.default_rng(np.random.SeedSequence(entropy)))


def shape(amplitude: npt.NDArray[np.float64], decibels: float) -> Shape:
    """Scale the amplitudes at FREQUENCIES so that `colour` gives noise of `decibels` (dBFS RMS)."""
    amplitude = amplitude.copy()
    amplitude[0] = amplitude[-1] = 0
    scale = 10 ** (decibels / 20) * GRAIN / math.sqrt(4 * float(np.square(amplitude).sum()))
    return np.asarray(amplitude * scale, np.float32)


def both(one: Shape, other: Shape) -> Shape:
    """The shape of two noises that sound at once: powers add."""
    return np.hypot(one, other)


def band(low: float, high: float, slope: float) -> npt.NDArray[np.float64]:
    """Amplitudes that fall by `slope` dB per octave between two corners in Hz, and by 12 dB more beyond either."""
    f = np.maximum(FREQUENCIES, 1.0)
    return np.asarray(f ** (-slope / 6.02) / ((1 + (low / f) ** 2) * (1 + (f / high) ** 2)))


def colour(generator: np.random.Generator, sides: Shape, middle: Shape | None = None) -> Grain:
    """Noise with the fades of a grain at its ends.

    Args:
        sides: shape of a noise that differs between the two channels.
        middle: shape of one that is the same in both.
    """
    spectrum = _spectrum(generator, 2, sides)
    if middle is not None:
        spectrum[:, : len(middle)] += _spectrum(generator, 1, middle)
    return np.asarray(np.fft.irfft(spectrum, n=GRAIN, axis=1), np.float32) * _WINDOW


def _spectrum(generator: np.random.Generator, channels: int, of: Shape) -> npt.NDArray[np.complex64]:
    draws = generator.standard_normal((channels, 2 * len(of)), dtype=np.float32)
    return np.asarray(draws.view(np.complex64) * of)


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
    """Add struck, decaying tones to a grain: (tones,) of everything.

    Args:
        grain: changed in place.
        starts: frame of each strike, within the chunk.
        hertz: frequency at the strike.
        decay: time constant in seconds; seven of the longest are sounded, at most a tail's length.
        peak: amplitude at the strike, full scale 1.0.
        pan: -1 left to 1 right, at equal power.
        rise: octaves by which the pitch has risen after one `decay`.
    """
    if not len(starts):
        return
    count = min(int(7 * decay.max() * SAMPLE_RATE) + 2, TAIL)
    t = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)
    numbers = (-1 / decay, 2 * math.pi * hertz, peak, (pan + 1) * math.pi / 4)
    rate, turn, level, angle = (np.asarray(each, np.float32)[:, None] for each in numbers)
    phase = turn * t
    if rise is not None:
        phase *= 1 + (0.35 * rise / decay).astype(np.float32)[:, None] * t
    tones = np.exp(rate * t)
    tones *= np.cos(phase)
    tones *= level
    panned = np.stack((np.cos(angle), np.sin(angle)), axis=1) * tones[:, None]
    for start, tone in zip(starts.tolist(), panned, strict=True):
        grain[:, start : start + count] += tone
