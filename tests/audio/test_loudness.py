from __future__ import annotations

import math
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from radio.audio.loudness import Meter
from radio.types import SAMPLE_RATE, Block
from tests.audio.pieces import integrated_loudness, true_peak


def tone(hertz: float, db: float, seconds: float = 5.0) -> Block:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (10 ** (db / 20) * np.sin(2 * np.pi * hertz * t))[:, None].repeat(2, axis=1).astype(np.float32)


def measure_with_ffmpeg(block: Block, path: Path) -> tuple[float, float]:
    """Return integrated loudness and true peak as reported by ffmpeg's ebur128 filter."""
    wavfile.write(path, SAMPLE_RATE, block)
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition("Summary:")[2]
    loudness, peak = (re.search(rf"{word}:\s+(-?[\d.]+)", report) for word in ("I", "Peak"))
    assert loudness
    assert peak
    return float(loudness[1]), float(peak[1])


def test_the_reference_tone_of_ebu_tech_3341() -> None:
    """EBU Tech 3341, case 1: a stereo sine at 1 kHz and -23 dBFS has -23 LUFS."""
    assert integrated_loudness(tone(1_000, -23)) == pytest.approx(-23, abs=0.1)


def test_quiet_parts_are_gated_out() -> None:
    """EBU Tech 3341, case 3: parts more than 10 LU below the rest do not count."""
    recording = np.concatenate((tone(1_000, -36, 5), tone(1_000, -23, 20), tone(1_000, -36, 5)))
    assert integrated_loudness(recording) == pytest.approx(-23, abs=0.1)


def test_the_loudness_of_silence_is_minus_infinity() -> None:
    silence = np.zeros((SAMPLE_RATE, 2), np.float32)
    assert integrated_loudness(silence) == -math.inf
    assert integrated_loudness(silence[:100]) == -math.inf
    assert true_peak(silence) == -math.inf


def test_true_peak_includes_peaks_between_samples() -> None:
    t = np.arange(48_000)
    block = (0.5 * np.hanning(48_000) ** 0.2 * np.sin(np.pi / 2 * t + np.pi / 4))[:, None].repeat(2, axis=1)
    assert 20 * math.log10(np.abs(block).max()) == pytest.approx(-9.03, abs=0.01)
    assert true_peak(block.astype(np.float32)) == pytest.approx(-6.02, abs=0.1)


@pytest.mark.parametrize("layer", ["keys", "drums"])
def test_loudness_and_true_peak_agree_with_ffmpeg(passage: object, layer: str, tmp_path: Path) -> None:
    stem = passage.stems[layer]  # type: ignore[attr-defined]
    loudness, peak = measure_with_ffmpeg(stem, tmp_path / "stem.wav")
    assert integrated_loudness(stem) == pytest.approx(loudness, abs=0.1)
    assert true_peak(stem) == pytest.approx(peak, abs=0.2)


@pytest.mark.parametrize(("levels", "expected"), [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20)])
def test_the_loudness_range_of_ebu_tech_3342(levels: tuple[float, float], expected: float) -> None:
    """EBU Tech 3342, cases 1 to 3: a stereo sine at 1 kHz, 20 seconds at each of two levels; within 1 LU."""
    meter = Meter()
    meter.add(np.concatenate([tone(1_000, level, 20) for level in levels]))
    assert meter.loudness_range == pytest.approx(expected, abs=0.2)


def test_the_loudness_range_agrees_with_ffmpeg(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    steps = [random.uniform(-45, -15) for _ in range(12)]
    recording = np.concatenate([tone(500 + 20 * number, db, 5) for number, db in enumerate(steps)])
    meter = Meter()
    meter.add(recording)
    wavfile.write(tmp_path / "steps.wav", SAMPLE_RATE, recording)
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(tmp_path / "steps.wav"), "-af", "ebur128", "-f", "null"]
    report = subprocess.run([*command, "-"], capture_output=True, text=True, check=True).stderr.rpartition("Summary:")[
        2
    ]
    match = re.search(r"LRA:\s+([\d.]+)", report)
    assert match
    assert meter.loudness_range == pytest.approx(float(match[1]), abs=0.3)
