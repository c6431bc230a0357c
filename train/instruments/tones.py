"""Samples of notes: the modeled attack, then loops that decay with a soundfont's envelopes.

A note's partials and noise bands decay at different rates, and an envelope has only one. So each note is sampled in two
parts, one that rings on and one that dies away, each with its own loop and envelope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from train.instruments.note import (
    FLOOR,
    NOISE_BANDS,
    NOISE_CENTERS,
    TIMES,
    Levels,
    Note,
    fade_in,
    level_curves,
    powers,
    render_noise,
    slope,
)
from train.instruments.references import RATE, Signal
from train.instruments.stroke import struck

_SLOWEST: Final = 4.5
_SLOWEST_RING: Final = 1.5
_FASTEST: Final = 90.0
"""dB per second: the limits of the decay of envelopes. A replay starts ten seconds early: most notes have fallen by 45
dB by then, and stations hold none that long."""
_ROUNDS: Final = 4
_DECAY_RANGE: Final = 96.0
"""dB that FluidSynth's envelope falls by in its decay time."""
_BLEND: Final = 0.08
"""Seconds over which noise turns into its loop."""
_AUDIBLE: Final = 60.0
"""dB below the loudest component; softer ones do not count in the choice of a decay or a sample rate."""
_RATES: Final = ((11_025, 1400.0), (16_000, 3000.0))
"""Sample rates in Hz, and the highest frequency allowed at each, since FluidSynth's interpolation mirrors frequencies
near the sample rate."""


Rows = npt.NDArray[np.bool_]
"""Chosen rows of levels."""


@dataclass(frozen=True, slots=True)
class Tone:
    """A sample with its loop."""

    audio: Signal
    rate: int
    loop: tuple[int, int]
    decay: float
    """Seconds for the envelope's decay; 0 for a note that does not fall."""


def looped(
    note: Note,
    rate: int,
    start: float,
    length: float,
    *,
    seed: int = 1,
    falls: bool = True,
    parts: int = 2,
    rings: bool = False,
) -> list[Tone]:
    """Return the parts of a note, each with a loop in which every partial has whole periods, so that it has no seam.

    Args:
        note: its parameters.
        rate: Hz, the highest sample rate; a part without high frequencies has a lower one.
        start: seconds to the beginning of the loop, where levels stop changing except for the envelope's decay.
        length: the approximate length of the loop in seconds.
        seed: the seed of the noise.
        falls: True if the note dies away.
        parts: 2, or 1 if one envelope is close enough.
        rings: True if it decays as slowly as a tine or a reed, with the overall decay of the note.
    """
    if not falls:
        # Random phases: otherwise detuned voices would align once in every turn of the loop.
        phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(note.ratios))
        return [_sampled(note, rate, start, length, phases, seed=seed, fall=0.0)]
    return [
        _sampled(part, _rate_for(part, note, rate), start, length, note.starting_phases, seed=seed, fall=fall)
        for part, fall in _parts(note, start, parts, rings)
    ]


def _parts(note: Note, start: float, count: int, rings: bool) -> list[tuple[Note, float]]:
    """Return the parts of a note that ring on and that die away after `start`, each with its decay in dB per second."""
    end = max(TIMES[-1], start + 0.5)
    moments = np.linspace(start, end, 40)
    levels = powers(note, moments)
    before = levels[:, 0]
    falls = np.clip((before - levels[:, -1]) / (end - start), _SLOWEST_RING if rings else _SLOWEST, _FASTEST)
    weights = np.maximum(before - before.max() + _AUDIBLE, 0) + 1e-6
    groups = _two_groups(np.log(falls), weights) if count > 1 else np.zeros(len(falls))
    chosen = [groups == group for group in (0, 1) if (weights[groups == group] > 1).any()]
    common = [float(np.exp(np.average(np.log(falls[rows]), weights=weights[rows]))) for rows in chosen]
    if rings:
        common = _balanced(levels, moments, chosen, common)
    parts = []
    for rows, fall in zip(chosen, common, strict=True):
        of_partials, of_bands = rows[: len(note.ratios), None], rows[len(note.ratios) :, None]
        kept = np.where(of_partials, note.partials, FLOOR), np.where(of_bands, note.noise, FLOOR)
        parts.append((replace(note, partials=kept[0], noise=kept[1]), fall))
    return parts


def _balanced(levels: Levels, moments: Signal, groups: Sequence[Rows], falls: Sequence[float]) -> list[float]:
    """Return the decays of groups of rows, the strongest adjusted so that all groups together decay like the note."""
    out = list(falls)
    for _ in range(_ROUNDS):
        played = np.full_like(levels, FLOOR)
        for rows, fall in zip(groups, out, strict=True):
            played[rows] = levels[rows, :1] - fall * (moments - moments[0])
        strongest = int(np.argmax([(10 ** (played[rows] / 10)).sum() for rows in groups]))
        ratio = float(np.clip(slope(levels, moments) / slope(played, moments), 0.5, 2))
        out[strongest] = float(np.clip(out[strongest] * ratio, _SLOWEST_RING, _FASTEST))
    return out


def _two_groups(values: Signal, weights: Signal) -> Levels:
    """Return a group, 0 or 1, for each value: the nearer of two means (Lloyd's algorithm)."""
    counted = values[weights > 1]
    means = np.quantile(counted, [0.2, 0.8]) if len(counted) else np.zeros(2)
    groups = np.zeros(len(values))
    for _ in range(20):
        groups = np.argmin(np.abs(values[:, None] - means), axis=1).astype(float)
        means = np.array(
            [
                np.average(values[groups == group], weights=weights[groups == group])
                if (groups == group).any()
                else means[group]
                for group in (0, 1)
            ]
        )
    return groups


def _rate_for(part: Note, note: Note, rate: int) -> int:
    """Return the lowest sample rate that is sufficient for a part."""
    top = max(note.partials.max(), note.noise.max() - 20)
    tones = part.partials.max(axis=1) > top - _AUDIBLE
    bands = part.noise.max(axis=1) > top - _AUDIBLE + 10
    highest = max(
        float((part.frequency * part.ratios[tones]).max(initial=0)), float(NOISE_CENTERS[bands].max(initial=0))
    )
    return next((low for low, limit in _RATES if highest < limit and low < rate), rate)


def _sampled(note: Note, rate: int, start: float, length: float, phases: Signal, *, seed: int, fall: float) -> Tone:
    loop = _loop_of(note.frequency, rate, length)
    periods = loop / rate * note.frequency
    first = round(start * rate)
    position = np.arange(first + loop)
    moments = np.minimum(np.arange(0, first + loop + 32, 32) / rate, start)
    audio = np.zeros(first + loop)
    curves = 10 ** ((level_curves(note.partials, moments) + fall * moments) / 20)
    for ratio, phase, curve in zip(note.ratios, phases, curves, strict=True):
        cycles = round(periods * float(ratio))
        if 0 < cycles < 0.45 * loop and curve.max() > 1e-4 * curves.max():
            level = np.interp(position, np.arange(len(moments)) * 32, curve)
            audio += level * np.sin(2 * np.pi * cycles / loop * position + phase)
    if note.noise.max() > FLOOR:
        noise = render_noise(note.noise, (first + loop) / rate + 0.05, seed, rate)[: first + loop]
        noise *= 10 ** (fall * np.minimum(position / rate, start) / 20)
        endless = np.tile(_noise_loop(note, rate, start, loop, seed), 2 + first // loop)
        endless = np.roll(endless, first % loop)[: first + loop] * 10 ** (fall * start / 20)
        blend = np.clip((position - first) / (_BLEND * rate) + 1, 0, 1)
        audio += noise * np.cos(np.pi / 2 * blend) + endless * np.sin(np.pi / 2 * blend)
    audio = struck(audio * fade_in(len(audio), rate), note.stroke, rate)
    return Tone(audio, rate, (first, first + loop), _DECAY_RANGE / fall if fall else 0.0)


def _loop_of(frequency: float, rate: int, length: float) -> int:
    """Return the samples of a loop of about `length` seconds in which the periods fit best."""
    if length * frequency < 2:
        return round(length * rate)
    periods = np.arange(round(0.8 * length * frequency), round(1.2 * length * frequency) + 2)
    samples = np.round(periods * rate / frequency)
    return int(samples[np.argmin(np.abs(samples / (periods * rate / frequency) - 1))])


def _noise_loop(note: Note, rate: int, start: float, length: int, seed: int) -> Signal:
    """Return one turn of noise that repeats without a seam, with the levels of the note's noise at `start`."""
    levels = level_curves(note.noise, np.array([start]))[:, 0]
    hertz = np.fft.rfftfreq(length, 1 / rate)
    places = np.interp(hertz, NOISE_CENTERS, np.arange(NOISE_BANDS))
    gains = 10 ** (np.interp(places, np.arange(NOISE_BANDS), levels) / 20)
    gains[hertz < 25] = 0
    random = np.random.default_rng(seed + 1000)
    spectrum = gains * (random.standard_normal(len(hertz)) + 1j * random.standard_normal(len(hertz)))
    return np.asarray(np.fft.irfft(spectrum, length) * np.sqrt(length / 2) * np.sqrt(rate / RATE))


def shared_gain(tones: Sequence[Tone], gain: float, highest: float) -> float:
    """Return `gain`, or less if a part would exceed `highest`."""
    return min(gain, *(highest / max(float(np.abs(tone.audio).max()), 1e-9) for tone in tones))
