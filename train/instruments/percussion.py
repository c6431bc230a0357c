"""Voices of drums that are modeled without a reference: membranes, cymbals, an analog drum machine, hand percussion.

A voice is a function of a velocity from 0 to 1 and of a variant's number that returns one hit at `RATE`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.signal import butter, sosfilt

from train.instruments.references import RATE, Signal

Voice = Callable[[float, int], Signal]


def moments(seconds: float) -> Signal:
    """Return the times of a signal's samples in seconds."""
    return np.arange(round(seconds * RATE)) / RATE


def decay(seconds: float, length: float) -> Signal:
    """Return an envelope of `length` seconds that falls by 60 dB in `seconds`."""
    return np.asarray(10 ** (-3 * moments(length) / seconds))


def hiss(length: float, low: float, high: float, seed: int) -> Signal:
    """Return noise from `low` to `high` Hz with an RMS of 1."""
    noise = np.random.default_rng(seed).standard_normal(round(length * RATE) + 2000)
    sections = butter(2, [low, min(high, 0.45 * RATE)], "bandpass", fs=RATE, output="sos")
    noise = np.asarray(sosfilt(sections, noise))[2000:]
    return np.asarray(noise / np.sqrt((noise**2).mean()))


def swept_sine(start: float, end: float, seconds: float, length: float) -> Signal:
    """Return a sine that falls from `start` to `end` Hz, most of the way in `seconds`."""
    hertz = end + (start - end) * np.exp(-moments(length) / seconds)
    return np.asarray(np.sin(2 * np.pi * np.cumsum(hertz) / RATE))


def modes(frequencies: Sequence[float], levels: Sequence[float], decays: Sequence[float], length: float) -> Signal:
    """Return decaying sines; each level is an amplitude, each decay the seconds for 60 dB."""
    time = moments(length)
    rows = zip(frequencies, levels, decays, strict=True)
    return np.asarray(
        sum(
            level * np.sin(2 * np.pi * hertz * time) * 10 ** (-3 * time / fall)
            for hertz, level, fall in rows
            if hertz < 0.45 * RATE
        )
    )


def square(hertz: float, length: float) -> Signal:
    """Return a square wave without aliasing: the odd harmonics below 40 % of the sample rate."""
    time = moments(length)
    orders = np.arange(1, int(0.4 * RATE / hertz) + 1, 2)
    return np.asarray(sum(np.sin(2 * np.pi * hertz * order * time) / order for order in orders))


def low_pass(signal: Signal, hertz: float, order: int = 2) -> Signal:
    """Return a signal without the frequencies above `hertz`."""
    return np.asarray(sosfilt(butter(order, hertz, "lowpass", fs=RATE, output="sos"), signal))


def high_pass(signal: Signal, hertz: float, order: int = 2) -> Signal:
    """Return a signal without the frequencies below `hertz`."""
    return np.asarray(sosfilt(butter(order, hertz, "highpass", fs=RATE, output="sos"), signal))


def tom(hertz: float) -> Voice:
    """Return a membrane tuned to `hertz`, its pitch falling after a hard hit."""

    def hit(velocity: float, variant: int) -> Signal:
        length, tuned = 0.75, hertz * (1 + 0.004 * variant)
        body = swept_sine(tuned * (1.15 + 0.25 * velocity), tuned, 0.045, length) * decay(0.65, length)
        ratios = (1.59, 2.14, 2.3, 2.65, 2.92)
        over = modes([tuned * r for r in ratios], (0.35, 0.2, 0.15, 0.1, 0.08), (0.3, 0.22, 0.2, 0.15, 0.12), length)
        stick = hiss(length, 400, 1500 + 3500 * velocity, 40 + variant) * decay(0.06, length)
        return np.asarray(body + (0.3 + 0.7 * velocity) * over + (0.05 + 0.25 * velocity) * stick)

    return hit


def side_stick(velocity: float, variant: int) -> Signal:
    """A stick laid over the rim."""
    length, tuned = 0.18, 1 + 0.01 * variant
    ring = modes(
        (412 * tuned, 1710 * tuned, 2560 * tuned, 3900), (0.6, 1.0, 0.45, 0.2), (0.07, 0.06, 0.04, 0.03), length
    )
    return np.asarray(ring + 0.25 * velocity * hiss(length, 1500, 9000, 50 + variant) * decay(0.03, length))


def clap(velocity: float, variant: int) -> Signal:
    """Several hands within 30 ms, and the room after them."""
    length = 0.35
    random = np.random.default_rng(60 + variant)
    envelope = 0.35 * decay(0.28, length)
    for start in (0.0, 0.009, 0.019, 0.03):
        first = round((start + 0.002 * random.random()) * RATE)
        envelope[first:] += decay(0.035, length)[: len(envelope) - first]
    return np.asarray(hiss(length, 700, 2500 + 3000 * velocity, 61 + variant) * envelope)


def cowbell(velocity: float, variant: int) -> Signal:
    """Two plates' square waves, band-passed."""
    length = 0.4
    tone = square(562 * (1 + 0.003 * variant), length) + 0.8 * square(845, length)
    return np.asarray(low_pass(high_pass(tone, 450), 2200 + 2500 * velocity) * decay(0.32, length))


def tambourine(velocity: float, variant: int) -> Signal:
    """Jingles: high modes that start within a few milliseconds, and their hiss."""
    length, random = 0.35, np.random.default_rng(70 + variant)
    frequencies = random.uniform(4200, 11_000, 24)
    ring = modes(list(frequencies), list(random.uniform(0.03, 0.12, 24)), list(random.uniform(0.08, 0.3, 24)), length)
    rush = hiss(length, 5000, 13_000, 71 + variant) * (decay(0.16, length) - 0.7 * decay(0.03, length))
    return np.asarray(ring + (0.15 + 0.15 * velocity) * rush)


def shaker(velocity: float, variant: int) -> Signal:
    """Beads that strike the wall over some 40 ms."""
    length = 0.16
    rise = np.minimum(moments(length) / (0.035 - 0.02 * velocity), 1) ** 2
    return np.asarray(hiss(length, 3500, 9000 + 3000 * velocity, 80 + variant) * rise * decay(0.13, length))


def claves(_velocity: float, variant: int) -> Signal:
    """Two sticks of hard wood."""
    return modes((2480 * (1 + 0.002 * variant), 5100), (1.0, 0.1), (0.08, 0.03), 0.15)


def triangle(velocity: float, variant: int) -> Signal:
    """A bent bar of steel."""
    frequencies = [1600, 3120 + 5 * variant, 4790, 6380, 8820, 10_900]
    return modes(frequencies, (0.15, 0.6, 0.7, 0.5, 0.3 + 0.3 * velocity, 0.2), (0.9, 1.4, 1.2, 1.0, 0.7, 0.5), 1.2)


def cymbal(low: float, seconds: float, seed: int) -> Voice:
    """Return a crash: a rush of noise that darkens, over many modes.

    Args:
        low: the lowest frequency in Hz.
        seconds: time to fall by 60 dB.
    """

    def hit(velocity: float, variant: int) -> Signal:
        length, random = 1.4, np.random.default_rng(seed)
        frequencies = np.geomspace(low, 9000, 60) * random.uniform(0.97, 1.03, 60)
        falls = seconds * np.sqrt(low * 3 / frequencies) * random.uniform(0.6, 1.2, 60)
        ring = modes(list(frequencies), list(random.uniform(0.01, 0.05, 60)), list(falls), length)
        dark = hiss(length, low, 3500, seed + 1 + variant) * decay(seconds, length)
        bright = hiss(length, 3500, 6000 + 8000 * velocity, seed + 2 + variant) * decay(0.6 * seconds, length)
        rise = 1 - 0.8 * np.exp(-moments(length) / 0.012)
        fade = np.clip((length - moments(length)) / 0.3, 0, 1)
        return np.asarray((ring + 0.1 * dark + (0.06 + 0.12 * velocity) * bright * rise) * fade)

    return hit


def analog_kick(hertz: float, seconds: float) -> Voice:
    """Return a resonator struck by a pulse, as in the TR-808: a sine whose pitch falls immediately, and a click."""

    def hit(velocity: float, _variant: int) -> Signal:
        length = min(seconds * 1.1, 1.3)
        body = swept_sine(hertz * (2.2 + 1.5 * velocity), hertz, 0.014, length) * decay(seconds, length)
        body = np.tanh((1.2 + velocity) * body)
        click = hiss(length, 200, 2500, 90) * decay(0.012, length)
        fade = np.clip((length - moments(length)) / 0.08, 0, 1)
        return np.asarray((body + (0.05 + 0.15 * velocity) * click) * fade)

    return hit


def analog_snare(seconds: float, *, tone: float = 1.0, snap: float = 1.0) -> Voice:
    """Return two resonators and high-passed noise, as in the TR-808."""

    def hit(velocity: float, variant: int) -> Signal:
        length = max(0.3, seconds * 1.1)
        body = modes((178.0, 334.0), (1.0, 0.55), (0.16, 0.1), length)
        bend = swept_sine(420, 178, 0.006, length) * decay(0.05, length)
        noise = hiss(length, 1100, 6000 + 4000 * velocity, 100 + variant) * decay(seconds, length)
        return np.asarray(tone * (body + 0.5 * bend) + snap * (0.22 + 0.2 * velocity) * noise)

    return hit


def analog_hat(seconds: float) -> Voice:
    """Return six square waves, band-passed, as in the TR-808."""

    def hit(velocity: float, variant: int) -> Signal:
        length = max(0.12, seconds * 1.1)
        frequencies = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)
        metal = np.asarray(sum(square(hertz * 1.9 * (1 + 0.002 * variant), length) for hertz in frequencies))
        bright = high_pass(metal, 6500, 3)
        body = low_pass(high_pass(metal, 3200, 2), 7000)
        ring = (bright + 0.35 * body) * decay(seconds, length)
        return np.asarray(low_pass(ring, 7000 + 6000 * velocity))

    return hit


def conga(hertz: float, *, slap: bool = False) -> Voice:
    """Return a hand drum, open or slapped."""

    def hit(velocity: float, variant: int) -> Signal:
        length, tuned = 0.4, hertz * (1 + 0.004 * variant)
        fall = 0.12 if slap else 0.35
        ratios = (1.0, 1.83, 2.45, 3.1)
        ring = modes([tuned * r for r in ratios], (1.0, 0.25, 0.15, 0.1), (fall, 0.12, 0.09, 0.07), length)
        skin = hiss(length, 600, 3000 + 3000 * velocity, 110 + variant) * decay(0.03, length)
        return np.asarray(ring + (0.6 if slap else 0.15) * velocity * skin)

    return hit
