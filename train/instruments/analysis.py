"""Fitting of a note's partials and noise to a recording."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.signal import stft
from scipy.signal.windows import blackmanharris

from train.instruments.distance import attack, mel_bands
from train.instruments.envelopes import whole_periods
from train.instruments.note import FLOOR, NOISE_BANDS, NOISE_CENTERS, TIMES, Note, render, render_noise, render_partials
from train.instruments.references import RATE, Signal

_REFINEMENTS: Final = 4
_SIZE: Final = 1024
_HOP: Final = 128
_MEL: Final = mel_bands(NOISE_BANDS, _SIZE)
_EDGES: Final = np.concatenate(
    [[0], np.sqrt(np.maximum(TIMES[1:], 1e-3) * np.maximum(TIMES[:-1], 2e-3)), [1.15 * TIMES[-1]]]
)
"""Seconds: each time represents the part of a note between two of these."""
_LARGEST_STEP: Final = 6.0
"""dB: maximum change of a level in one refinement."""
_LEAST_NOISE: Final = 0.02
"""Share of a band's power that is noise if the partials explain all of it."""
_HIGHEST: Final = 14_000.0
"""Hz: partials above this are left to the noise."""


def frequency_of(note: int) -> float:
    """Return a MIDI note's frequency in Hz, A4 at 440."""
    return float(440 * 2 ** ((note - 69) / 12))


def aligned(recording: Signal) -> Signal:
    """Return up to 2.8 s of a recording, starting at its attack, with an RMS of 0.1 over two seconds."""
    start = max(0, attack(recording) - round(0.001 * RATE))
    note = recording[start : start + round((TIMES[-1] + 0.4) * RATE)]
    return np.asarray(note * (0.1 / np.sqrt((note[: 2 * RATE] ** 2).sum() / (2 * RATE))))


def track_partials(note: Signal, hertz: Signal, spacing: float) -> npt.NDArray[np.float64]:
    """Return the levels in dB of sinusoids at frequencies (partials,) at each time: (partials, times).

    Args:
        note: a recording, starting at its attack.
        hertz: the frequencies.
        spacing: Hz between neighboring partials; windows are long enough to separate them.
    """
    levels = np.empty((len(hertz), len(TIMES)))
    shortest = 3.0 / spacing
    for column, time in enumerate(TIMES):
        length = round(max(shortest, min(0.25 * time, 0.2)) * RATE)
        # One window of that length around the moment; near the attack it begins at the attack.
        start = max(0, round(time * RATE) - length // 2)
        piece = note[start : start + length]
        window = np.hanning(len(piece) + 2)[1:-1]
        waves = np.exp(-2j * np.pi / RATE * np.outer(hertz, np.arange(len(piece))))
        amplitude = 2 * np.abs(waves @ (piece * window)) / window.sum()
        levels[:, column] = 20 * np.log10(np.maximum(amplitude, 10 ** (FLOOR / 20)))
    return levels


def harmonic_ratios(note: Signal, frequency: float, count: int, *, stretch: bool) -> tuple[float, Signal]:
    """Return the measured fundamental and the frequencies of partials as its multiples.

    Args:
        frequency: the nominal fundamental in Hz.
        count: the maximum number of partials.
        stretch: fit the partials of a stiff string, n·sqrt(1 + B·n²), instead of multiples.
    """
    length = min(len(note), RATE)
    spectrum = np.abs(np.fft.rfft(note[:length] * np.hanning(length), 4 * RATE))
    step = RATE / (4 * RATE)

    def peak(hertz: float, cents: float) -> tuple[float, float]:
        low, high = (round(hertz * 2 ** (sign * cents / 1200) / step) for sign in (-1, 1))
        place = low + int(np.argmax(spectrum[low : high + 1]))
        return place * step, float(spectrum[place])

    fundamental, _ = peak(frequency, 40)
    second, second_level = peak(2 * frequency, 40)
    if second_level > 4 * spectrum[round(fundamental / step)]:
        fundamental = second / 2
    count = max(1, min(count, int(_HIGHEST / fundamental)))
    orders = np.arange(1, count + 1)
    if not stretch:
        return fundamental, orders.astype(float)
    best, inharmonicity = -np.inf, 0.0
    usable = orders[: min(count, 20)]
    for candidate in np.concatenate([[0.0], np.geomspace(2e-5, 6e-3, 120)]):
        places = np.round(fundamental * usable * np.sqrt(1 + candidate * usable**2) / step).astype(int)
        places = places[places < len(spectrum) - 3]
        nearby = np.max([spectrum[places + offset] for offset in (-2, -1, 0, 1, 2)], axis=0)
        score = float(np.log(nearby + 1e-6).sum())
        if score > best:
            best, inharmonicity = score, float(candidate)
    stretched = orders * np.sqrt(1 + inharmonicity * orders**2) / np.sqrt(1 + inharmonicity)
    return fundamental, stretched[stretched * fundamental < _HIGHEST]


def mode_ratios(note: Signal, fundamental: float, guesses: Signal) -> Signal:
    """Return a bar's modes as multiples of its fundamental: the strongest peaks within 5 % of the guesses."""
    length = min(len(note), RATE // 4)
    spectrum = np.abs(np.fft.rfft(note[:length] * np.blackman(length), 4 * RATE))
    ratios = []
    for guess in guesses:
        low, high = (round(4 * fundamental * guess * side) for side in (0.95, 1.05))
        ratios.append((low + int(np.argmax(spectrum[low : high + 1]))) / 4 / fundamental)
    return np.array(ratios)


def band_levels(note: Signal, recorded: float) -> npt.NDArray[np.float64]:
    """Return the levels of a note's bands, (bands, times), in dB; white noise with an RMS of 1 has 0.

    Args:
        note: a recording, starting at its attack, or a note to compare with it.
        recorded: seconds of the recording; later samples do not count.
    """
    padded = np.pad(note, (_SIZE // 2, _SIZE))
    power = np.abs(stft(padded, RATE, nperseg=_SIZE, noverlap=_SIZE - _HOP, boundary=None)[2]) ** 2
    power *= _SIZE / 1.5  # a Hann window's squared sum over its sum squared
    bands = 10 * np.log10(np.maximum(_MEL @ power / _MEL.sum(axis=1, keepdims=True), 10 ** (FLOOR / 10)))
    frames = np.arange(bands.shape[1]) * _HOP / RATE
    whole = frames <= max(recorded - _SIZE / 2 / RATE, 0)
    out = np.full((NOISE_BANDS, len(TIMES)), FLOOR)
    for column, (low, high) in enumerate(itertools.pairwise(_EDGES)):
        chosen = whole & (np.abs(frames - (low + high) / 2) <= max((high - low) / 2, 0.75 * _HOP / RATE))
        if chosen.any():
            out[:, column] = bands[:, chosen].mean(axis=1)
    return out


def loudness_over_time(note: Signal, recorded: float, shortest: float) -> Signal:
    """Return the level of a note in dB around each time, over at least `shortest` seconds.

    Args:
        note: a recording, starting at its attack, or a note to compare with it.
        recorded: seconds of the recording; later samples do not count.
        shortest: whole periods of the note, so that the level does not follow its wave.
    """
    total = np.concatenate([[0.0], np.cumsum(note**2)])
    out = np.empty(len(TIMES))
    for column, (low, high) in enumerate(itertools.pairwise(_EDGES)):
        half = max(high - low, shortest) / 2
        first, last = (np.clip((low + high) / 2 + side * half, 0, recorded) for side in (-1, 1))
        start = min(round(first * RATE), len(note) - 1)
        end = max(round(last * RATE), start + 1)
        out[column] = 10 * np.log10((total[end] - total[start]) / (end - start) + 1e-12)
    return out


def noise_between(note: Signal, hertz: Signal, spacing: float) -> npt.NDArray[np.float64]:
    """Return the noise levels that the spectrum shows between partials: (bands, times), NaN where none is visible.

    Args:
        note: a recording, starting at its attack.
        hertz: the frequencies of the partials.
        spacing: Hz between neighboring partials.
    """
    size = int(np.clip(2 ** np.ceil(np.log2(12 * RATE / spacing)), 2048, 8192))
    bins = np.arange(size // 2 + 1) * RATE / size
    free = np.min(np.abs(bins[:, None] - hertz[None, :]), axis=1) > 5 * RATE / size
    weights = mel_bands(NOISE_BANDS, size) * free
    total = weights.sum(axis=1)
    window = blackmanharris(size)
    out = np.full((NOISE_BANDS, len(TIMES)), np.nan)
    for column, time in enumerate(TIMES):
        if time < size / RATE / 2:
            continue
        starts = round(time * RATE) - size // 2 + np.array([-size // 4, 0, size // 4])
        pieces = np.stack([note[max(0, start) : max(0, start) + size] for start in starts])
        power = (np.abs(np.fft.rfft(pieces * window)) ** 2).mean(axis=0) / (window**2).sum()
        visible = total > 0.1 * mel_bands(NOISE_BANDS, size).sum(axis=1)
        out[visible, column] = 10 * np.log10((weights @ power)[visible] / total[visible] + 1e-10)
    return out


def fit_note(note: Signal, fundamental: float, ratios: Signal, *, spacing: float | None = None, seed: int = 1) -> Note:
    """Return the parameters that reproduce a recorded note.

    Args:
        note: an aligned recording.
        fundamental: Hz, as measured.
        ratios: the frequencies of its partials as multiples of the fundamental.
        spacing: Hz between neighboring partials [the fundamental].
        seed: the seed of the noise in the fit.
    """
    spacing = spacing or fundamental
    recorded = len(note) / RATE
    note = np.pad(note, (0, max(0, round((TIMES[-1] + 0.4) * RATE) - len(note))))
    goal = band_levels(note, recorded)
    seconds = len(note) / RATE
    partials = extended(track_partials(note, fundamental * ratios, spacing), recorded)
    fitted = Note(fundamental, ratios, partials, np.full((NOISE_BANDS, len(TIMES)), FLOOR))
    explained = band_levels(render_partials(fitted, seconds), recorded)
    missing = 10 ** (goal / 10) - 10 ** (explained / 10)
    noise = 10 * np.log10(np.maximum(np.maximum(missing, _LEAST_NOISE * 10 ** (goal / 10)), 10 ** (FLOOR / 10)))
    between = noise_between(note, fundamental * ratios, spacing)
    noise = np.where(np.isnan(between), noise, between)
    return refined(replace(fitted, noise=extended(noise, recorded)), note, recorded, seed)


def refined(fitted: Note, note: Signal, recorded: float, seed: int = 1, *, excess: float = 0.0) -> Note:
    """Return a fitted note with the spectrum of the recording.

    Args:
        fitted: its parameters.
        note: the aligned recording, padded to its full length.
        recorded: seconds of the recording; later samples do not count.
        seed: the seed of the noise in the fit.
        excess: dB by which noise may exceed the level that the recording shows.
    """
    goal, seconds = band_levels(note, recorded), len(note) / RATE
    hertz = fitted.frequency * fitted.ratios
    places = np.interp(hertz, NOISE_CENTERS, np.arange(NOISE_BANDS))
    lower = np.minimum(places.astype(int), NOISE_BANDS - 2)
    weight = (places - lower)[:, None]
    for _ in range(_REFINEMENTS):
        hiss = render_noise(fitted.noise, seconds, seed)
        tones = render_partials(fitted, seconds)
        error = np.clip(goal - band_levels(tones + hiss, recorded), -_LARGEST_STEP, _LARGEST_STEP)
        highest = np.maximum(goal + excess, FLOOR)
        share = 1 / (1 + 10 ** ((band_levels(tones, recorded) - band_levels(hiss, recorded)) / 10))
        error_of_tones = error * (1 - share)
        at_partials = error_of_tones[lower] * (1 - weight) + error_of_tones[lower + 1] * weight
        fitted = replace(
            fitted,
            partials=extended(np.maximum(fitted.partials + 0.7 * at_partials, FLOOR), recorded),
            noise=extended(np.clip(fitted.noise + 0.7 * error * share, FLOOR, highest), recorded),
        )
    return fitted


def with_envelope(fitted: Note, note: Signal) -> Note:
    """Return a fitted note whose overall level follows the recording's, especially in the attack.

    Args:
        fitted: the result of `fit_note` for the recording.
        note: the aligned recording.
    """
    recorded = len(note) / RATE
    note = np.pad(note, (0, max(0, round((TIMES[-1] + 0.4) * RATE) - len(note))))
    seconds, shortest = len(note) / RATE, whole_periods(fitted.frequency)
    goal = loudness_over_time(note, recorded, shortest)
    for _ in range(_REFINEMENTS):
        error = goal - loudness_over_time(render(fitted, seconds), recorded, shortest)
        step = 0.5 * np.clip(error, -_LARGEST_STEP, _LARGEST_STEP)
        fitted = replace(
            fitted,
            partials=extended(np.maximum(fitted.partials + step, FLOOR), recorded),
            noise=extended(np.maximum(fitted.noise + step, FLOOR), recorded),
        )
    return fitted


def extended(levels: npt.NDArray[np.float64], seconds: float) -> npt.NDArray[np.float64]:
    """Return levels (rows, times) that continue to fall at their last slope after the end of the recording."""
    last = int(np.flatnonzero(0.9 * seconds - _SIZE / 2 / RATE >= TIMES)[-1])
    out = levels.copy()
    before = max(int(np.searchsorted(TIMES, 0.45 * TIMES[last])) - 1, 0)
    slopes = np.minimum((out[:, last] - out[:, before]) / (TIMES[last] - TIMES[before]), -3.0)
    for column in range(last + 1, len(TIMES)):
        out[:, column] = out[:, last] + slopes * (TIMES[column] - TIMES[last])
    return np.maximum(out, FLOOR)
