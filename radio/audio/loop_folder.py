"""A folder of recorded loops that replaces the rain: the recordings play in turn, endlessly, with crossfades."""

from __future__ import annotations

import logging
import math
import shutil
import warnings
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from radio.errors import AudioError
from radio.types import SAMPLE_RATE, Block, Frames

SUFFIXES = (".wav", ".mp3", ".ogg")

_log = logging.getLogger("radio.audio")
_SIDE = math.sqrt(0.5)
_MIXES: Mapping[int, tuple[tuple[float, ...], tuple[float, ...]]] = MappingProxyType(
    {
        1: ((1,), (1,)),
        2: ((1, 0), (0, 1)),
        3: ((1, 0, _SIDE), (0, 1, _SIDE)),
        4: ((1, 0, _SIDE, 0), (0, 1, 0, _SIDE)),
        5: ((1, 0, _SIDE, _SIDE, 0), (0, 1, _SIDE, 0, _SIDE)),
        6: ((1, 0, _SIDE, 0, _SIDE, 0), (0, 1, _SIDE, 0, 0, _SIDE)),
        7: ((1, 0, _SIDE, 0, 0.5, _SIDE, 0), (0, 1, _SIDE, 0, 0.5, 0, _SIDE)),
        8: ((1, 0, _SIDE, 0, _SIDE, 0, _SIDE, 0), (0, 1, _SIDE, 0, 0, _SIDE, 0, _SIDE)),
    }
)
"""The shares of each channel on the left and on the right (ITU-R BS.775-4, annex 4), by the number of channels.

The channels are in the order of WAV files: front left and right, center, low frequencies, back, and sides. The low
frequencies are left out.
"""
_FADE: Frames = SAMPLE_RATE // 2
"""Length of the crossfade between two recordings; at most a quarter of the shorter one."""
_SHORTEST: Frames = SAMPLE_RATE // 10


@dataclass(frozen=True)
class Recording:
    """A decoded file, immutable: (frames, 2) float32 at 48 kHz."""

    path: Path
    audio: Block

    def __deepcopy__(self, memo: dict[int, object]) -> Recording:
        """Return the object itself, so that a copied state does not duplicate minutes of audio."""
        return self


class LoopFolder:
    """The WAV, MP3 and OGG files of a folder, played in order of their names, endlessly and seamlessly.

    The end of each recording and the start of the next overlap in an equal-power crossfade; a single recording overlaps
    with itself. All files are decoded when the folder is opened: a minute takes 23 MB. Hidden files and those of other
    types are left out, with a warning.

    Args:
        path: the folder.

    Raises:
        AudioError: the folder holds no loop, or files in it cannot be read; the message names each one with its reason.
    """

    def __init__(self, path: Path) -> None:
        self._recordings: list[Recording] = []
        problems = []
        for file in _files(path):
            try:
                self._recordings.append(Recording(file, _decode(file)))
            except AudioError as error:
                problems.append(str(error))
        if problems:
            raise AudioError("\n".join(problems))
        self._number = 0
        """The index of the current recording."""
        self._place: Frames = 0
        """The next frame of that recording."""

    @cached_property
    def _fades(self) -> list[Frames]:
        """The number of frames at the start of each recording that overlap the end of the previous one."""
        lengths = [len(recording.audio) for recording in self._recordings]
        return [min(_FADE, length // 4, lengths[i - 1] // 4) for i, length in enumerate(lengths)]

    def render(self, frames: Frames) -> Block:
        """Return the next `frames` frames, (frames, 2) float32. The samples do not depend on the sizes requested."""
        out = np.empty((frames, 2), dtype=np.float32)
        done = 0
        while done < frames:
            count = self._copy(out[done:])
            done += count
        return out

    def skip(self, frames: Frames) -> None:
        """Move on by `frames`. Rendering them is as cheap as computing the new position."""
        self.render(frames)

    def seek(self, frame: Frames) -> None:
        """Set the absolute frame of the next sample, as if all before it had been played."""
        # Only at the very start is a recording heard from its first frame: later the one before it fades there.
        lengths = [len(recording.audio) - fade for recording, fade in zip(self._recordings, self._fades, strict=True)]
        place = frame - self._fades[0]
        self._number = 0
        if place >= 0:
            place %= sum(lengths)
            while place >= lengths[self._number]:
                place -= lengths[self._number]
                self._number += 1
        self._place = place + self._fades[self._number]

    def _copy(self, out: Block) -> Frames:
        """Fill `out` from the current recording and return the frames copied; move to the next one at the end."""
        number, next_number = self._number, (self._number + 1) % len(self._recordings)
        audio, next_audio = self._recordings[number].audio, self._recordings[next_number].audio
        fade = self._fades[next_number]
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
            fade_in = next_audio[start - seam : start - seam + count]
            out[:count] = audio[start : start + count] * _cosine(angle) + fade_in * _cosine(math.pi / 2 - angle)
        self._place += count
        if self._place == len(audio):
            self._number, self._place = next_number, fade
        return count


def _cosine(angle: npt.NDArray[np.float64]) -> Block:
    return np.asarray(np.cos(angle), np.float32)


def _files(path: Path) -> list[Path]:
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        raise AudioError(f"loops {path}: {error.strerror or error}") from error
    files = [file for file in entries if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")]
    if skipped := [file.name for file in entries if file not in files]:
        _log.warning("loops %s: left out, hidden or not %s: %s", path, ", ".join(SUFFIXES), ", ".join(skipped))
    if not files:
        raise AudioError(f"loops {path}: no {', '.join(SUFFIXES)} file in this folder")
    return files


def _decode(path: Path) -> Block:
    segment = _segment(path)
    # Samples are integers of sample_width bytes, with interleaved channels.
    full_scale = np.float32(1 << (8 * segment.sample_width - 1))
    audio = np.asarray(segment.get_array_of_samples(), np.float32).reshape(-1, segment.channels) / full_scale
    stereo = _mixed_down(path, audio)
    if segment.frame_rate != SAMPLE_RATE and len(stereo):
        stereo = _resampled(stereo, segment.frame_rate)
    if len(stereo) < _SHORTEST:
        raise AudioError(f"loop {path} lasts {len(stereo) / SAMPLE_RATE:.3f} s; it must last at least 0.1 s")
    return np.ascontiguousarray(stereo, dtype=np.float32)


def _mixed_down(path: Path, audio: npt.NDArray[np.float32]) -> Block:
    """Return any number of channels, shape (frames, channels), as stereo without overload."""
    channels = audio.shape[1]
    if channels not in _MIXES:
        raise AudioError(f"loop {path} has {channels} channels; mix it down to at most {max(_MIXES)}")
    shares = np.array(_MIXES[channels], np.float32)
    return np.asarray(audio @ (shares / shares.sum(axis=1, keepdims=True)).T, np.float32)


def _resampled(stereo: Block, rate: int) -> Block:
    """Resample from `rate` Hz to 48 kHz, with libswresample."""
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(stereo.T, np.float32), format="fltp", layout="stereo")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
    parts = [part.to_ndarray() for whole in (frame, None) for part in resampler.resample(whole)]
    return np.asarray(np.concatenate(parts, axis=1).T, np.float32)


def _segment(path: Path) -> Any:
    """Read a file with pydub and return its AudioSegment."""
    with warnings.catch_warnings():
        # The import warns of the deprecated audioop and of missing programs, which are reported below if needed.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
        from pydub.exceptions import CouldntDecodeError
        from pydub.utils import mediainfo_json
    try:
        with path.open("rb") as file:
            if _is_pcm_wav(path):
                return AudioSegment.from_file(file, "wav")
            if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
                raise AudioError(f"loop {path} needs the program ffmpeg: `apt install ffmpeg`")
            streams = [
                stream for stream in mediainfo_json(str(path)).get("streams", []) if stream["codec_type"] == "audio"
            ]
            if not streams:
                raise AudioError(f"loop {path} holds no audio that ffmpeg can read")
            # Pass the codec explicitly: pydub does not detect Opus in Ogg.
            return AudioSegment.from_file(file, codec=streams[0]["codec_name"])
    except CouldntDecodeError as error:
        # The decoder prints its banner first and the reason last.
        reason = str(error).strip().splitlines()[-1]
        raise AudioError(f"loop {path} cannot be read: {reason}") from error
    except (OSError, ValueError, LookupError) as error:
        raise AudioError(f"loop {path} cannot be read: {error!r}") from error


def _is_pcm_wav(path: Path) -> bool:
    """Return True for a WAV file of 8 or 16 bits. pydub is slow with 24 bits and misreads floating point."""
    try:
        with wave.open(str(path)) as file:
            return int(file.getsampwidth()) <= 2
    except (wave.Error, EOFError):
        return False
