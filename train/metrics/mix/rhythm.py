"""Rhythm, percussion, repetition and ducking of a passage, from its spectrogram."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

from radio.types import SAMPLE_RATE, Block
from train.metrics.mix.levels import Array, decibels

_RATE: Final = 24_000
_SIZE, _HOP = 2_048, 512
_FRAMES: Final = _RATE / _HOP
"""Frames per second."""
_PERCUSSION: Final = 45.0
"""Seconds in which the percussive part is measured."""
_MEDIAN: Final = 31
_USUAL_BPM: Final = 80.0
_LOOPS: Final = (4.0, 40.0)
"""The range of lags in seconds for the search of the best loop."""
_OVERLAP: Final = 15.0
_KICK: Final = (30.0, 110.0)
_TONES: Final = (250.0, 4_000.0)
_STEP: Final = SAMPLE_RATE // 100


def rhythm_figures(audio: Block) -> dict[str, float]:
    """Return the figures of rhythm and repetition of a passage, (frames, 2) at 48 kHz, of at least twenty seconds.

    Source: the percussive part after D. FitzGerald, "Harmonic/percussive separation using median filtering" (DAFx
    2010); onsets by the rise of a mel spectrogram in dB; the tempo from the autocorrelation of the onsets, with a
    log-normal weight around 80 BPM (D. Ellis, "Beat tracking by dynamic programming", 2007).
    """
    middle = audio.mean(axis=1, dtype=np.float64)
    half = signal.resample_poly(middle, 1, SAMPLE_RATE // _RATE)
    spectrogram = signal.stft(half, _RATE, nperseg=_SIZE, noverlap=_SIZE - _HOP, scaling="spectrum")[2]
    magnitudes = np.asarray(np.abs(spectrogram) * (_SIZE / 2), np.float64)
    mel = decibels(mel_bands(64, _SIZE, _RATE) @ magnitudes**2)
    mel = np.clip(mel, mel.max() - 60, None)
    rise = onset_strength(mel)
    hertz = np.fft.rfftfreq(_SIZE, 1 / _RATE).astype(np.float64)
    return {
        **_percussion(magnitudes, hertz),
        "flatness": float(np.median(_flatness(magnitudes**2))),
        "onsets_per_s": len(_onsets(rise)) / (len(half) / _RATE),
        "onset_strength_p95_p50": float(np.percentile(rise, 95) / max(float(np.median(rise)), 1e-6)),
        "tempo": _tempo(rise),
        **_repetition(mel, 4, "loop"),
        **_repetition(_chroma(magnitudes**2, hertz), 8, "chroma_loop"),
        **_ducking(middle),
    }


def mel_bands(bands: int, size: int, rate: int) -> Array:
    """Return triangular weights of equal area, (bands, size // 2 + 1): linear up to 1 kHz, logarithmic above.

    Source: M. Slaney, "Auditory Toolbox" (1998).
    """
    top = 15 + 27 * np.log(rate / 2 / 1_000) / np.log(6.4)
    mels = np.linspace(0, top, bands + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1_000 * np.exp((mels - 15) * np.log(6.4) / 27))[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    hertz = np.arange(size // 2 + 1) * (rate / size)
    weights = np.maximum(0, np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)))
    return np.asarray(weights * (2 / (high - low)))


def onset_strength(levels: Array) -> Array:
    """Return the mean rise of levels, (bands, frames), since the previous frame."""
    return np.concatenate(([0.0], np.maximum(np.diff(levels, axis=1), 0).mean(axis=0)))


def _percussion(magnitudes: Array, hertz: Array) -> dict[str, float]:
    part = magnitudes[:, : round(_PERCUSSION * _FRAMES)]
    steady = ndimage.median_filter(part, (1, _MEDIAN), mode="reflect") ** 2
    sudden = ndimage.median_filter(part, (_MEDIAN, 1), mode="reflect") ** 2
    drums = part * sudden / np.maximum(steady + sudden, 1e-20)
    high = hertz > 2_000
    return {
        "percussive_db": float(decibels((drums**2).sum() / (part**2).sum())),
        "percussive_above_2k_share": float((drums[high] ** 2).sum() / max(float((part[high] ** 2).sum()), 1e-9)),
    }


def _flatness(power: Array) -> Array:
    power = np.maximum(power, 1e-10)
    return np.asarray(np.exp(np.log(power).mean(axis=0)) / power.mean(axis=0))


def _onsets(rise: Array) -> npt.NDArray[np.intp]:
    """Return the frames of onsets: peaks well above the mean of the fifth of a second around them."""
    scaled = (rise - rise.min()) / max(float(np.ptp(rise)), 1e-9)
    around = ndimage.uniform_filter1d(scaled, 9, mode="nearest")
    peaks = (scaled >= ndimage.maximum_filter1d(scaled, 3)) & (scaled > around + 0.07)
    return np.flatnonzero(peaks)


def _tempo(rise: Array) -> float:
    """Return beats per minute, below 115."""
    lags = np.arange(8, round(8 * _FRAMES))
    even = rise - rise.mean()
    power = np.abs(np.fft.rfft(even, 2 * len(even))) ** 2
    similarity = np.maximum(np.fft.irfft(power)[lags], 0)
    tempos = 60 * _FRAMES / lags
    weight = -0.5 * np.log2(tempos / _USUAL_BPM) ** 2
    best = float(tempos[np.argmax(np.log1p(1e6 * similarity / max(float(similarity.max()), 1e-12)) + weight)])
    return best if best < 115 else best / 2


def _chroma(power: Array, hertz: Array) -> Array:
    """Return the power of each pitch class, (12, frames), each frame scaled to a peak of 1."""
    used = (hertz > 50) & (hertz < 5_000)
    pitch = 12 * np.log2(hertz[used] / 440)
    apart = (pitch - np.arange(12)[:, None] + 6) % 12 - 6
    chroma = np.exp(-0.5 * (apart / 0.5) ** 2) @ power[used]
    return np.asarray(chroma / np.maximum(chroma.max(axis=0), 1e-9))


def _repetition(features: Array, averaged: int, name: str) -> dict[str, float]:
    """Return the similarity of a passage to itself, at lags of 4 to 40 seconds."""
    rows, frames = features.shape[0], features.shape[1] // averaged
    means = features[:, : frames * averaged].reshape(rows, frames, averaged).mean(axis=2)
    means = means - means.mean(axis=1, keepdims=True)
    means /= np.maximum(np.linalg.norm(means, axis=0), 1e-6)
    per_second = _FRAMES / averaged
    last = min(round(_LOOPS[1] * per_second), frames - round(_OVERLAP * per_second))
    lags = np.arange(round(_LOOPS[0] * per_second), last)
    if len(lags) < 20:
        return {}
    alike = np.array([(means[:, lag:] * means[:, :-lag]).sum(axis=0).mean() for lag in lags])
    figures = {f"{name}_best": float(alike.max()), f"{name}_gain": float(alike.max() - np.median(alike))}
    if name == "loop":
        figures["loop_best_lag_s"] = float(lags[alike.argmax()] / per_second)
    return figures


def _ducking(middle: Array) -> dict[str, float]:
    """Return the rate of low notes, and the dip in the level of the tones after them."""
    lows = signal.sosfilt(signal.butter(2, _KICK, "bandpass", fs=SAMPLE_RATE, output="sos"), middle)
    low_rate, hop = SAMPLE_RATE // 4, 128
    slow = signal.resample_poly(lows, 1, 4)
    power = np.abs(signal.stft(slow, low_rate, nperseg=_SIZE, noverlap=_SIZE - hop, scaling="spectrum")[2]) ** 2
    levels = decibels(mel_bands(128, _SIZE, low_rate) @ (power * (_SIZE / 2) ** 2))
    rise = onset_strength(np.maximum(levels, levels.max() - 80))
    far, long = 61, 121
    highest = ndimage.maximum_filter1d(rise, far)
    around = ndimage.uniform_filter1d(rise, long, mode="nearest")
    peaks = np.flatnonzero((rise >= highest) & (rise >= around + 0.3 * np.percentile(rise, 95)))
    tones = signal.sosfilt(signal.butter(2, _TONES, "bandpass", fs=SAMPLE_RATE, output="sos"), middle)
    total = np.concatenate(([0.0], np.cumsum(tones**2)))
    starts = np.arange(0, len(tones) - 2 * _STEP, _STEP)
    envelope = np.sqrt((total[starts + 2 * _STEP] - total[starts]) / (2 * _STEP))
    places = (peaks * (hop / low_rate) * 100).astype(int)
    around_kicks = [envelope[place - 10 : place + 60] for place in places if 10 <= place < len(envelope) - 60]
    if len(around_kicks) <= 20:
        return {}
    usual = 20 * np.log10(np.median(np.array(around_kicks), axis=0) + 1e-6)
    seconds = len(middle) / SAMPLE_RATE
    return {
        "kick_hits_per_s": len(around_kicks) / seconds,
        "pump_dip_db": float(usual[14:30].min() - usual[40:60].mean()),
    }
