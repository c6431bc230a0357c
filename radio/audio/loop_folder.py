"""A folder of recorded loops that replaces the rain: the recordings play in turn, endlessly, with crossfades."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from radio.audio.loop_decoder import decode_files
from radio.errors import AudioError
from radio.types import SAMPLE_RATE, Block, Frames

SUFFIXES = (".wav", ".mp3", ".ogg")

_log = logging.getLogger("radio.audio")
_FADE: Frames = SAMPLE_RATE // 2
"""Length of the crossfade between two recordings; at most a quarter of the shorter one."""


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
    with itself. All files are decoded when the folder is opened, in a separate process; a minute takes 23 MB. Hidden
    files, other types of files and audio after the first half hour are left out, with a warning.

    Args:
        path: the folder.

    Raises:
        AudioError: the folder has no loops, or files in it cannot be read; the message names each one with its reason.
    """

    def __init__(self, path: Path) -> None:
        self._recordings = [Recording(file, audio) for file, audio in decode_files(_files(path))]
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
        """Advance by `frames`. Rendering them is as cheap as computing the new position."""
        self.render(frames)

    def seek(self, frame: Frames) -> None:
        """Set the absolute frame of the next sample, as if all earlier frames had been played."""
        # Except at the very start, the beginning of each recording overlaps the end of the previous one.
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
        """Fill `out` from the current recording and return the number of frames; at its end, move to the next one."""
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
        _log.warning("loops %s: ignored, hidden or not %s: %s", path, ", ".join(SUFFIXES), ", ".join(skipped))
    if not files:
        raise AudioError(f"loops {path}: no {', '.join(SUFFIXES)} file in this folder")
    return files
