"""Measures of a recording: loudness, peaks, spectrum and stereo. They need neither a reference nor a learned model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.audio.loudness import Meter
from radio.types import SAMPLE_RATE, Block, Seconds

BANDS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "20-60 Hz": (20, 60),
        "60-120 Hz": (60, 120),
        "120-250 Hz": (120, 250),
        "250-500 Hz": (250, 500),
        "500-1k Hz": (500, 1_000),
        "1-2k Hz": (1_000, 2_000),
        "2-4k Hz": (2_000, 4_000),
        "4-8k Hz": (4_000, 8_000),
        "8-16k Hz": (8_000, 16_000),
    }
)
"""Limits of the bands in Hz: octaves, except for the lowest."""

_SEGMENT: Final = 16_384
"""Frames per spectrum; neighboring spectra overlap by half."""
_THIRDS: Final = 1_000 * 2.0 ** (np.arange(-16, 13) / 3)
"""Centers of the third-octave bands, 25 Hz to 16 kHz."""
_TILT: Final = (100.0, 8_000.0)
_WHOLE: Final = (20.0, 16_000.0)
_TINY: Final = 1e-14

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measures:
    """Measures of one recording.

    loudness: integrated, LUFS. true_peak: dBTP. loudness_range: LU. short_term_deviation: standard deviation of the
    short-term loudness, LU. crest: sample peak over mean level, dB. tilt: slope of the third-octave spectrum from
    100 Hz to 8 kHz, dB per octave. side_to_middle: dB. bands: levels relative to the whole from 20 Hz to 16 kHz, dB.
    spectrum: the same for third octaves, by center frequency in Hz. course: short-term loudness every 100 ms, LUFS.
    """

    seconds: Seconds
    loudness: float
    true_peak: float
    loudness_range: float
    short_term_deviation: float
    crest: float
    tilt: float
    side_to_middle: float
    bands: Mapping[str, float]
    spectrum: Mapping[float, float]
    course: Array

    @property
    def peak_to_loudness(self) -> float:
        """True peak over loudness, dB."""
        return self.true_peak - self.loudness


class Analyzer:
    """A measurement of audio that arrives in blocks of any size. Spectra are summed, so they take constant memory."""

    def __init__(self) -> None:
        self._meter = Meter()
        self._spectra: Array = np.zeros(_SEGMENT // 2 + 1)
        self._segments = 0
        self._pending = np.zeros(0)
        self._frames = 0
        self._squares = self._middle = self._side = self._peak = 0.0

    def add(self, block: Block) -> None:
        """Add the next block, (frames, 2) float32 at 48 kHz."""
        self._meter.add(block)
        left, right = block.T.astype(np.float64)
        middle, side = (left + right) / 2, (left - right) / 2
        self._frames += len(block)
        self._squares += float(left @ left + right @ right)
        self._middle += float(middle @ middle)
        self._side += float(side @ side)
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        self._add_spectra(middle)

    def measures(self) -> Measures:
        """Return the measures of the audio so far. For digital silence, levels are -inf and other measures 0."""
        power, hertz = self._power(), np.fft.rfftfreq(_SEGMENT, 1 / SAMPLE_RATE)

        def level(low: float, high: float) -> float:
            return float(power[(hertz >= low) & (hertz < high)].sum())

        whole = max(level(*_WHOLE), _TINY)
        edge = 2 ** (1 / 6)
        spectrum = {float(hertz): _decibels(level(hertz / edge, hertz * edge) / whole) for hertz in _THIRDS}
        short_term = self._meter.short_term()
        mean = math.sqrt(self._squares / max(2 * self._frames, 1))
        return Measures(
            seconds=self._frames / SAMPLE_RATE,
            loudness=self._meter.integrated,
            true_peak=self._meter.true_peak,
            loudness_range=self._meter.loudness_range,
            short_term_deviation=float(short_term.std()) if len(short_term) else 0.0,
            crest=20 * math.log10(self._peak / mean) if mean else 0.0,
            tilt=_tilt(spectrum) if mean else 0.0,
            side_to_middle=_decibels(self._side / max(self._middle, _TINY)),
            bands={name: _decibels(level(*limits) / whole) for name, limits in BANDS.items()},
            spectrum=spectrum,
            course=self._meter.course(),
        )

    def _add_spectra(self, middle: Array) -> None:
        line = np.concatenate((self._pending, middle))
        hop = _SEGMENT // 2
        count = max(0, (len(line) - _SEGMENT) // hop + 1)
        if count:
            segments = np.lib.stride_tricks.sliding_window_view(line, _SEGMENT)[: count * hop : hop]
            self._spectra += _periodograms(segments).sum(axis=0)
            self._segments += count
        self._pending = line[count * hop :]

    def _power(self) -> Array:
        """Return the mean power by frequency; a recording shorter than a segment is padded with silence.

        Source: Welch, "The use of fast Fourier transform for the estimation of power spectra" (IEEE Transactions on
        Audio and Electroacoustics 15, 1967).
        """
        if self._segments:
            return self._spectra / self._segments
        padded = np.pad(self._pending, (0, _SEGMENT - len(self._pending)))
        power: Array = _periodograms(padded[None])[0]
        return power


def measure(audio: Block) -> Measures:
    """Return the measures of a recording, (frames, 2) float32 at 48 kHz."""
    analyzer = Analyzer()
    analyzer.add(audio)
    return analyzer.measures()


def loudness_range(audio: Block) -> float:
    """Return the loudness range in LU of a recording, (frames, 2) float32 at 48 kHz; see `Meter.loudness_range`."""
    meter = Meter()
    meter.add(audio)
    return meter.loudness_range


def _tilt(spectrum: Mapping[float, float]) -> float:
    """Return the slope of a line that is fitted to the levels by least squares."""
    within = [(hertz, level) for hertz, level in spectrum.items() if _TILT[0] <= hertz <= _TILT[1]]
    octaves = np.log2([hertz for hertz, _ in within])
    levels = np.array([level for _, level in within])
    octaves -= octaves.mean()
    return float(octaves @ levels / (octaves @ octaves))


def _periodograms(segments: Array) -> Array:
    """Return the power of each segment by frequency, with a Hann window and the mean removed."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_SEGMENT) / _SEGMENT)
    spectra = np.fft.rfft((segments - segments.mean(axis=1, keepdims=True)) * hann, axis=1)
    powers: Array = np.abs(spectra) ** 2
    return powers


def _decibels(ratio: float) -> float:
    return 10 * math.log10(max(ratio, _TINY))
