"""Pitched notes that are modeled without a reference: plucked strings, bars, bells, pipes, organs, pads.

A timbre is a function of a pitch and a velocity from 0 to 1 that returns a note's parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from train.instruments.analysis import frequency_of
from train.instruments.note import FLOOR, NOISE_BANDS, NOISE_CENTERS, TIMES, Levels, Note
from train.instruments.references import Signal

Timbre = Callable[[float, float], Note]

_HIGHEST: Final = 12_000.0


def decibels(amplitude: Signal) -> Signal:
    """Return amplitudes in dB, at least `FLOOR`."""
    return np.asarray(20 * np.log10(np.maximum(np.abs(amplitude), 10 ** (FLOOR / 20))))


def silence() -> Levels:
    """Return the noise levels of silence."""
    return np.full((NOISE_BANDS, len(TIMES)), FLOOR)


def puff(level: float, center: float, octaves: float, fall: float, *, sustained: float = FLOOR) -> Levels:
    """Return noise around a frequency: a burst that falls by 60 dB in `fall` seconds, and a sustained remainder.

    Args:
        level: dB at the center when the note begins.
        center: Hz.
        octaves: distance from the center at which the noise is 12 dB lower.
        fall: seconds.
        sustained: dB at the center after the burst.
    """
    shape = -12 * (np.log2(NOISE_CENTERS / center) / octaves) ** 2
    over_time = np.maximum(level - 60 * TIMES / fall, sustained)
    return np.asarray(np.maximum(shape[:, None] + over_time[None, :], FLOOR))


def harmonics(pitch: float, count: int = 40) -> Signal:
    """Return the numbers of the harmonics below 12 kHz."""
    return np.arange(1, max(1, min(count, int(_HIGHEST / frequency_of(round(pitch))))) + 1, dtype=float)


def steady(levels: Signal) -> Levels:
    """Return levels that do not change."""
    return np.asarray(np.repeat(np.maximum(levels, FLOOR)[:, None], len(TIMES), axis=1))


def falling(levels: Signal, falls: Signal) -> Levels:
    """Return levels that fall by 60 dB in `falls` seconds each."""
    return np.asarray(np.maximum(levels[:, None] - 60 * TIMES[None, :] / falls[:, None], FLOOR))


def plucked(*, place: float, slope: float, ring: float, damping: float, noise: float, stiffness: float = 0.0) -> Timbre:
    """Return a plucked string.

    Args:
        place: the plucking point, as a share of its length.
        slope: dB per octave by which harmonics are lower; 3 dB less at the hardest.
        ring: seconds in which the fundamental falls by 60 dB at middle C.
        damping: additional decay of high harmonics.
        noise: level of the finger in dB.
        stiffness: inharmonicity.
    """

    def note(pitch: float, velocity: float) -> Note:
        orders = harmonics(pitch)
        comb = decibels(np.sin(np.pi * orders * place) + 0.03)
        levels = -12 + comb - (slope - 3 * velocity + 1.5) * np.log2(orders)
        falls = ring * 2 ** ((60 - pitch) / 24) / (1 + damping * (orders - 1) * frequency_of(round(pitch)) / 250)
        finger = puff(noise + 6 * velocity, 900 + 900 * velocity, 1.6, 0.12)
        ratios = orders * np.sqrt(1 + stiffness * orders**2) / np.sqrt(1 + stiffness)
        return Note(_hertz(pitch), ratios, falling(levels, falls), finger)

    return note


def struck(ratios: Sequence[float], levels: Sequence[float], falls: Sequence[float], *, noise: float) -> Timbre:
    """Return a bar, tine or bell.

    Args:
        ratios: its modes as multiples of the pitch.
        levels: their levels in dB.
        falls: the seconds in which they fall by 60 dB at middle C.
        noise: level of the mallet in dB.
    """

    def note(pitch: float, velocity: float) -> Note:
        modes = np.array(ratios)
        bright = (velocity - 0.6) * 8 * np.log2(np.maximum(modes, 1))
        times = np.array(falls) * 2 ** ((60 - pitch) / 26)
        mallet = puff(noise + 8 * velocity, 1500, 1.5, 0.07)
        return Note(_hertz(pitch), modes, falling(np.array(levels) + bright - 10, times), mallet)

    return note


def blown(
    levels: Sequence[float], *, breath: float, center: float, formant: tuple[float, float] = (1000.0, 0.0)
) -> Timbre:
    """Return a wind instrument that sustains.

    Args:
        levels: dB of the harmonics in the middle of its range; each one after the last is 6 dB lower.
        breath: dB of the sustained noise; its attack is louder.
        center: center of that noise in Hz.
        formant: Hz and dB of a resonance.
    """

    def note(pitch: float, velocity: float) -> Note:
        orders = harmonics(pitch, 24)
        known = np.array(levels, dtype=float)
        more = known[-1] - 6.0 * np.arange(1, len(orders) + 1)
        table = np.concatenate([known, more])[: len(orders)]
        hertz = _hertz(pitch) * orders
        boost = formant[1] / (1 + (3 * np.log2(hertz / formant[0])) ** 2)
        bright = (velocity - 0.7) * 5 * np.log2(orders)
        register = -0.25 * np.maximum(pitch - 72, 0) * np.log2(orders)
        return Note(_hertz(pitch), orders, steady(table + boost + bright + register - 12), _breath(breath, center))

    return note


def _breath(level: float, center: float) -> Levels:
    return puff(level + 10, center, 1.3, 0.25, sustained=level)


def organ(bars: Sequence[tuple[float, float]], *, click: float, air: float) -> Timbre:
    """Return a drawbar organ: (multiple, dB) of each bar, with overtones of worn tone wheels, a click and air."""

    def note(pitch: float, velocity: float) -> Note:
        rows: dict[float, float] = {}
        for ratio, level in bars:
            for order, drop in ((1, 0.0), (2, 26.0), (3, 34.0)):
                rows[ratio * order] = max(rows.get(ratio * order, FLOOR), level - drop)
        ratios = np.array([ratio for ratio in sorted(rows) if ratio * _hertz(pitch) < _HIGHEST])
        levels = np.array([rows[ratio] for ratio in ratios]) - 18
        return Note(_hertz(pitch), ratios, steady(levels), puff(click + 4 * velocity, 1600, 1.4, 0.05, sustained=air))

    return note


def ensemble(
    *, slope: float, spread: float, top: float, voices: int = 5, air: float = FLOOR, sub: float = FLOOR
) -> Timbre:
    """Return a pad: several voices that are a little out of tune, so that each harmonic beats.

    Args:
        slope: dB per octave by which harmonics are lower.
        spread: cents from the lowest to the highest voice.
        top: Hz above which harmonics fall by 18 dB per octave more.
        voices: their number.
        air: dB of a sustained breath.
        sub: dB of the octave below.
    """

    def note(pitch: float, velocity: float) -> Note:
        orders = harmonics(pitch, 24)
        random = np.random.default_rng(round(pitch))
        detune = 2 ** ((np.linspace(-0.5, 0.5, voices) + random.uniform(-0.08, 0.08, voices)) * spread / 1200)
        hertz = _hertz(pitch) * orders
        levels = -slope * np.log2(orders) - 9 * np.log2(1 + (hertz / (top * (0.7 + 0.6 * velocity))) ** 2)
        ratios = (orders[:, None] * detune[None, :]).ravel()
        rows = np.repeat(levels, voices) + random.uniform(-2, 2, len(ratios)) - 22
        if sub > FLOOR:
            ratios, rows = np.append(ratios, 0.5), np.append(rows, sub)
        noise = puff(air, 2500, 1.5, 1000.0, sustained=air)
        return Note(_hertz(pitch), ratios, steady(rows), noise)

    return note


def round_bass(*, second: float, third: float, drive: float) -> Timbre:
    """Return a synthetic bass: a sine, and enough harmonics above 150 Hz for small loudspeakers."""

    def note(pitch: float, velocity: float) -> Note:
        orders = harmonics(pitch, 12)
        hertz = _hertz(pitch) * orders
        levels = np.where(orders == 1, 0.0, -drive - 9 * np.log2(orders) + 6 * velocity)
        levels[1:2] = second + 3 * velocity
        levels[2:3] = third + 3 * velocity
        # The lower the note, the more its harmonics between 150 and 500 Hz carry it.
        levels += np.where((orders > 1) & (hertz > 150) & (hertz < 500), np.clip((48 - pitch) / 4, 0, 6), 0)
        falls = np.where(orders == 1, 9.0, 2.5 / np.sqrt(orders))
        return Note(_hertz(pitch), orders, falling(levels - 12, falls), puff(-48 + 8 * velocity, 700, 1.5, 0.05))

    return note


def _hertz(pitch: float) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))
