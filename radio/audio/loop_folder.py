"""A folder of recorded loops in place of the rain: played one after another for ever, each melting into the next."""

from __future__ import annotations

import math
import shutil
import warnings
import wave
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from radio.errors import AudioError
from radio.types import SAMPLE_RATE, Block, Frames

ENDINGS = (".wav", ".mp3", ".ogg")
_FADE: Frames = SAMPLE_RATE // 2
"""Length of the crossfade where two recordings meet; a quarter of the shorter one at most."""
_SHORTEST: Frames = SAMPLE_RATE // 10


@dataclass(frozen=True)
class Recording:
    """One decoded file, never changed: (frames, 2) float32 at 48 kHz."""

    path: Path
    audio: Block

    def __deepcopy__(self, memo: dict[int, object]) -> Recording:
        """Itself: a saved state need not hold minutes of audio again."""
        return self


class LoopFolder:
    """The WAV, MP3 and OGG files of a folder in the order of their names, over and over, without a seam.

    The end of each recording and the start of the next (of itself, where there is one only) overlap at equal power.
    All are decoded when the folder is opened: a minute takes 23 MB.

    Args:
        path: the folder.

    Raises:
        AudioError: naming the folder if it holds no loop, or each file that cannot be read, and why.
    """

    def __init__(self, path: Path) -> None:
        self._recordings: list[Recording] = []
        problems = []
        for file in _files(path):
            try:
                self._recordings.append(Recording(file, _decode(file)))
            except AudioError as fault:
                problems.append(str(fault))
        if problems:
            raise AudioError("\n".join(problems))
        self._number = 0
        """Of the recording that plays."""
        self._place: Frames = 0
        """Of the next frame in it."""

    @cached_property
    def _fades(self) -> list[Frames]:
        """For each recording, how many frames of its start overlap the end of the one before."""
        lengths = [len(recording.audio) for recording in self._recordings]
        return [min(_FADE, length // 4, lengths[i - 1] // 4) for i, length in enumerate(lengths)]

    def render(self, frames: Frames) -> Block:
        """The next `frames` frames, any number ≥ 0: (frames, 2) float32; the same however it is split."""
        out = np.empty((frames, 2), dtype=np.float32)
        done = 0
        while done < frames:
            count = self._copy(out[done:])
            done += count
        return out

    def skip(self, frames: Frames) -> None:
        """Let `frames` pass that nobody hears: playing them costs no more than finding where they end."""
        self.render(frames)

    def _copy(self, out: Block) -> Frames:
        """Fill `out` from the playing recording as far as it goes; turn to the next where that begins."""
        number, following = self._number, (self._number + 1) % len(self._recordings)
        audio, ahead = self._recordings[number].audio, self._recordings[following].audio
        fade = self._fades[following]
        seam = len(audio) - fade
        start = self._place
        if start < seam:
            count = min(len(out), seam - start)
            out[:count] = audio[start : start + count]
        else:
            count = min(len(out), len(audio) - start)
            angle = (np.arange(start - seam, start - seam + count, dtype=np.float64)[:, None] + 0.5) * (
                math.pi / 2 / fade
            )
            into = ahead[start - seam : start - seam + count]
            out[:count] = audio[start : start + count] * _cosine(angle) + into * _cosine(math.pi / 2 - angle)
        self._place += count
        if self._place == len(audio):
            self._number, self._place = following, fade
        return count


def _cosine(angle: npt.NDArray[np.float64]) -> Block:
    return np.asarray(np.cos(angle), np.float32)


def _files(path: Path) -> list[Path]:
    try:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in ENDINGS)
    except OSError as fault:
        raise AudioError(f"loops {path}: {fault.strerror or fault}") from fault
    if not files:
        raise AudioError(f"loops {path}: no {', '.join(ENDINGS)} file in it")
    return files


def _decode(path: Path) -> Block:
    segment = _segment(path)
    # Samples are whole numbers of sample_width bytes, channels interleaved.
    full_scale = np.float32(1 << (8 * segment.sample_width - 1))
    audio = np.asarray(segment.get_array_of_samples(), np.float32).reshape(-1, segment.channels) / full_scale
    stereo = np.repeat(audio, 2, axis=1) if segment.channels == 1 else audio[:, :2]
    if segment.frame_rate != SAMPLE_RATE and len(stereo):
        stereo = _resampled(stereo, segment.frame_rate)
    if len(stereo) < _SHORTEST:
        raise AudioError(f"loop {path} lasts {len(stereo) / SAMPLE_RATE:.3f} s; it must last at least 0.1 s")
    return np.ascontiguousarray(stereo, dtype=np.float32)


def _resampled(stereo: Block, rate: int) -> Block:
    """From `rate` Hz to 48 kHz, with libswresample."""
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(stereo.T, np.float32), format="fltp", layout="stereo")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
    made = [part.to_ndarray() for whole in (frame, None) for part in resampler.resample(whole)]
    return np.asarray(np.concatenate(made, axis=1).T, np.float32)


def _segment(path: Path) -> Any:
    """What pydub reads from a file: its AudioSegment."""
    with warnings.catch_warnings():
        # Importing it warns that audioop will go and that ffmpeg or ffplay is missing; we say so where it matters.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
        from pydub.exceptions import CouldntDecodeError
        from pydub.utils import mediainfo_json
    try:
        with path.open("rb") as file:
            if _plain(path):
                return AudioSegment.from_file(file, "wav")
            if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
                raise AudioError(f"loop {path} needs ffmpeg: `apt install ffmpeg` brings it")
            sounds = [
                stream for stream in mediainfo_json(str(path)).get("streams", []) if stream["codec_type"] == "audio"
            ]
            if not sounds:
                raise AudioError(f"loop {path} holds no audio that ffmpeg can read")
            # The codec is named outright, since pydub takes no Opus in Ogg when it has to find it itself.
            return AudioSegment.from_file(file, codec=sounds[0]["codec_name"])
    except CouldntDecodeError as fault:
        # The decoder's last words are the reason; what stands before is its banner.
        reason = str(fault).strip().splitlines()[-1]
        raise AudioError(f"loop {path} cannot be read: {reason}") from fault
    except (OSError, ValueError, LookupError) as fault:
        raise AudioError(f"loop {path} cannot be read: {fault!r}") from fault


def _plain(path: Path) -> bool:
    """Whether it is a WAV file of 8 or 16 bits: pydub is slow with 24 and takes floating point for whole numbers."""
    try:
        with wave.open(str(path)) as file:
            return int(file.getsampwidth()) <= 2
    except (wave.Error, EOFError):
        return False
