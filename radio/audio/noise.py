"""Endless noise from a seed: made in fixed chunks that depend on the seed and their number alone."""

from __future__ import annotations

import math
import zlib
from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt
from scipy import fft

from radio.types import SAMPLE_RATE, Block, Frames, Seconds

CHUNK: Frames = 24_000
TAIL: Frames = 4_800
"""A grain lasts CHUNK + TAIL frames: its tail sounds into the next chunk."""
GRAIN: Frames = CHUNK + TAIL

Grain = npt.NDArray[np.float32]
"""(2, GRAIN) float32."""
Shape = npt.NDArray[np.float32]
"""A noise's amplitude at each frequency of a grain's Fourier transform, scaled to an RMS of 1: (GRAIN // 2 + 1,)."""

FREQUENCIES: npt.NDArray[np.float64] = fft.rfftfreq(GRAIN, 1 / SAMPLE_RATE)

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
        """The next `frames` frames: (frames, 2) float32."""
        out = np.empty((frames, 2), dtype=np.float32)
        done = 0
        while done < frames:
            number, start = divmod(self.position, CHUNK)
            self._turn_to(number)
            count = min(CHUNK - start, frames - done)
            out[done : done + count] = self._chunk[:, start : start + count].T
            self.position += count
            done += count
        return out

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


def shape(amplitude: npt.NDArray[np.float64]) -> Shape:
    """Scale the amplitudes at FREQUENCIES so that `colour` gives noise of RMS 1."""
    amplitude = amplitude.copy()
    amplitude[0] = amplitude[-1] = 0
    return np.asarray(amplitude * GRAIN / math.sqrt(4 * float(np.square(amplitude).sum())), np.float32)


def band(low: float, high: float, slope: float) -> npt.NDArray[np.float64]:
    """Amplitudes that fall by `slope` dB per octave between two corners in Hz, and by 12 dB more beyond either."""
    f = np.maximum(FREQUENCIES, 1.0)
    return np.asarray(f ** (-slope / 6.02) / ((1 + (low / f) ** 2) * (1 + (f / high) ** 2)))


def colour(shape: Shape, generator: np.random.Generator) -> Grain:
    """Noise of a given shape, RMS 1, the two channels independent, with the fades of a grain at its ends."""
    spectrum = generator.standard_normal((2, 2 * len(shape)), dtype=np.float32).view(np.complex64) * shape
    return np.asarray(fft.irfft(spectrum, n=GRAIN, axis=1), np.float32) * _WINDOW


def ring(
    grain: Grain, start: Frames, *, hertz: float, decay: Seconds, peak: float, pan: float, rise: float = 0.0
) -> None:
    """Add a struck, decaying tone to a grain.

    Args:
        grain: changed in place.
        start: frame of the strike, within the chunk.
        hertz: its frequency at the strike.
        decay: time constant; seven of them are sounded.
        peak: amplitude at the strike, full scale 1.0.
        pan: -1 left to 1 right, at equal power.
        rise: octaves by which the pitch has risen after one `decay`.
    """
    count = min(int(7 * decay * SAMPLE_RATE) + 2, GRAIN - start)
    t = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)
    tone = np.exp(-t / decay) * np.cos((2 * math.pi * hertz) * t * (1 + (0.35 * rise / decay) * t)) * peak
    angle = (pan + 1) * math.pi / 4
    grain[0, start : start + count] += tone * math.cos(angle)
    grain[1, start : start + count] += tone * math.sin(angle)
