"""A modeled note: partials and noise bands, each with a level that changes over time, and its synthesis.

The model is spectral modeling synthesis: sinusoids with slowly changing levels, and noise that is filtered in bands.

Source: X. Serra and J. Smith, "Spectral Modeling Synthesis", Computer Music Journal 14 (4), 1990.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.signal import istft, stft

from train.instruments.distance import mel_edges
from train.instruments.references import RATE, Signal
from train.instruments.stroke import struck

TIMES: Final = np.array([0.0, 0.005, 0.012, 0.022, 0.035, 0.05, 0.07, 0.1, 0.2, 0.4, 0.7, 1.1, 1.6, 2.4])
"""Seconds after the attack at which levels are stored; between them a level is linear in dB."""
NOISE_BANDS: Final = 40
NOISE_EDGES: Final = mel_edges(NOISE_BANDS + 2)
NOISE_CENTERS: Final = NOISE_EDGES[1:-1]
"""Hz: the centers of the noise bands."""
FLOOR: Final = -100.0
"""dB: a level that counts as silence."""
RINGS_FROM: Final = 0.1
RINGS_UNTIL: Final = 2.0
"""Seconds after the attack between which the slope of a decay is measured."""
RING_RANGE: Final = 40.0
"""dB by which a note falls while its slope is measured; softer parts are the room and noise."""

_NOISE_SIZE: Final = 512
_NOISE_HOP: Final = 128
_FADE_IN: Final = 0.001
"""Seconds in which a note rises from silence."""

Levels = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Note:
    """The parameters of one note; levels are in dB relative to a sinusoid or band of amplitude 1."""

    frequency: float
    """Hz: the fundamental."""
    ratios: npt.NDArray[np.float64]
    """Frequencies of the partials as multiples of the fundamental, (partials,)."""
    partials: Levels
    """Levels of the partials, (partials, times)."""
    noise: Levels
    """Levels of the noise in its bands, (bands, times)."""
    phases: npt.NDArray[np.float64] | None = None
    """Starting phases of the partials [those of `partial_phases`]."""
    stroke: Levels | None = None
    """Gains of a drum's stroke in dB, (bands of `stroke`, times of `stroke`)."""

    @property
    def starting_phases(self) -> Signal:
        """The phase of each partial at the start."""
        return partial_phases(len(self.ratios)) if self.phases is None else self.phases


def level_curves(levels: Levels, moments: Signal) -> Levels:
    """Return levels (rows, times) at `moments` in seconds; after the last time they continue to fall as before."""
    after = levels[:, -1:] + np.minimum(levels[:, -1:] - levels[:, -2:-1], 0)
    times = np.append(TIMES, 2 * TIMES[-1] - TIMES[-2])
    table = np.concatenate([levels, after], axis=1)
    place = np.clip(np.searchsorted(times, moments, side="right") - 1, 0, len(times) - 2)
    weight = (moments - times[place]) / (times[place + 1] - times[place])
    return np.asarray(np.maximum(table[:, place] * (1 - weight) + table[:, place + 1] * weight, FLOOR))


def powers(note: Note, moments: Signal) -> Levels:
    """Return the power in dB of each partial and of each noise band at moments: (partials and bands, moments)."""
    widths = (NOISE_EDGES[2:] - NOISE_EDGES[:-2]) / RATE
    tones, noise = (level_curves(levels, moments) for levels in (note.partials, note.noise))
    return np.concatenate([tones - 3, noise + 10 * np.log10(widths)[:, None]])


def fall(note: Note) -> float:
    """Return the decay of a ringing note in dB per second: over two seconds, or until it is 40 dB softer."""
    moments = np.arange(RINGS_FROM, RINGS_UNTIL, 0.05)
    return slope(powers(note, moments), moments)


def slope(rows: Levels, moments: Signal) -> float:
    """Return the decay of the sum of levels (rows, moments) in dB per second, while it is within 40 dB of the first."""
    level = 10 * np.log10((10 ** (rows / 10)).sum(axis=0))
    soft = np.flatnonzero(level < level[0] - RING_RANGE)
    count = max(int(soft[0]) if len(soft) else len(level), 2)
    return -float(np.polyfit(moments[:count], level[:count], 1)[0])


def partial_phases(count: int) -> Signal:
    """Return starting phases that keep the crest low and are the same for every note (Schroeder's)."""
    return np.asarray(np.pi * np.arange(count) * (np.arange(count) - 1) / max(count, 1) % (2 * np.pi))


def render_partials(note: Note, seconds: float, rate: int = RATE) -> Signal:
    """Return the sinusoids of a note; those above 45 % of the sample rate are left out."""
    length = round(seconds * rate)
    moments = np.arange(0, length + 64, 64) / rate
    out = np.zeros(length)
    position = np.arange(length)
    curves = 10 ** (level_curves(note.partials, moments) / 20)
    for ratio, phase, curve in zip(note.ratios, note.starting_phases, curves, strict=True):
        hertz = note.frequency * ratio
        if hertz < 0.45 * rate and curve.max() > 1e-4 * curves.max():
            level = np.interp(position, moments * rate, curve)
            out += level * np.sin(2 * np.pi * hertz / rate * position + phase)
    return out * fade_in(length, rate)


def render_noise(levels: Levels, seconds: float, seed: int, rate: int = RATE) -> Signal:
    """Return noise with levels (bands, times): 0 dB in every band is white noise with an RMS of 1 at 44.1 kHz."""
    length = round(seconds * rate)
    lead = _NOISE_SIZE
    white = np.random.default_rng(seed).standard_normal(length + 2 * lead)
    hertz, moments, spectrum = stft(white, rate, nperseg=_NOISE_SIZE, noverlap=_NOISE_SIZE - _NOISE_HOP)
    curves = level_curves(levels, np.maximum(moments - lead / rate, 0))
    place = np.interp(hertz, NOISE_CENTERS, np.arange(NOISE_BANDS))
    lower = np.minimum(place.astype(int), NOISE_BANDS - 2)
    weight = (place - lower)[:, None]
    gains = 10 ** ((curves[lower] * (1 - weight) + curves[lower + 1] * weight) / 20)
    gains[hertz < 25] = 0
    shaped = istft(spectrum * gains, rate, nperseg=_NOISE_SIZE, noverlap=_NOISE_SIZE - _NOISE_HOP)[1]
    return np.asarray(shaped[lead : lead + length] * fade_in(length, rate) * np.sqrt(RATE / rate) ** -1)


def render(note: Note, seconds: float, *, seed: int = 1, rate: int = RATE) -> Signal:
    """Return the note's samples."""
    sound = render_partials(note, seconds, rate) + render_noise(note.noise, seconds, seed, rate)
    return struck(sound, note.stroke, rate)


def fade_in(length: int, rate: int) -> Signal:
    """Return a gain that rises from 0 to 1 in a millisecond."""
    ramp = np.minimum(np.arange(length) / (_FADE_IN * rate), 1)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * ramp))
