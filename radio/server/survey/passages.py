"""Passages for listeners: excerpts of the recordings, all equally loud, as FLAC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Final

import numpy as np

from radio.audio.decoding import decode
from radio.audio.loudness import Meter
from radio.errors import AudioError
from radio.server.survey.pairs import Pair
from radio.station.audio_files import encode, write_wav
from radio.types import SAMPLE_RATE, Block, Seconds

LOUDNESS: Final = -20.0
"""LUFS of every passage: low enough that peaks of 19 dB above it do not clip."""
_CEILING: Final = -1.0
"""Maximum true peak in dBTP."""
_FADE: Final = SAMPLE_RATE // 20


def prepare(pairs: Sequence[Pair], folder: Path, *, seconds: Seconds) -> None:
    """Write both passages of every pair to `folder`; see `passage_path`.

    Raises:
        AudioError: A recording cannot be decoded, or is silent.
        StreamError: ffmpeg is not installed or failed.
    """
    for number, pair in enumerate(pairs):
        excerpts = [_excerpt(path, seconds) for path in pair.files]
        loudness = [_loudness(path, audio) for path, audio in zip(pair.files, excerpts, strict=True)]
        # Both get the same loudness, even if the peaks of one do not allow the usual loudness.
        headroom = [_CEILING - meter.true_peak + meter.integrated for meter in loudness]
        target = min(LOUDNESS, *headroom)
        for index, (audio, meter) in enumerate(zip(excerpts, loudness, strict=True)):
            gain = np.float32(10 ** ((target - meter.integrated) / 20))
            path = passage_path(folder, number, index)
            wav = path.with_suffix(".wav")
            write_wav([_faded(audio * gain)], len(audio), wav, lambda _: None)
            encode(wav, path, tags={})
            wav.unlink()


def passage_path(folder: Path, number: int, index: int) -> Path:
    """Return the file of a pair's passage; `index` is 0 or 1."""
    return folder / f"{number}-{index}.flac"


def _excerpt(path: Path, seconds: Seconds) -> Block:
    """Return the beginning of a recording."""
    frames = round(seconds * SAMPLE_RATE)
    blocks = [block for _, block in takewhile(lambda item: item[0] * SAMPLE_RATE < frames, enumerate(decode(path)))]
    return np.concatenate(blocks)[:frames]


def _loudness(path: Path, audio: Block) -> Meter:
    meter = Meter()
    meter.add(audio)
    if not math.isfinite(meter.integrated):
        raise AudioError(f"{path}: the passage is silent, or shorter than 0.4 s")
    return meter


def _faded(audio: Block) -> Block:
    """Return the audio with a 50 ms fade-out."""
    fade = min(_FADE, len(audio))
    audio[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return audio
