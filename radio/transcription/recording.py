"""Reading of recordings: a WAV, MP3, FLAC or Ogg file of up to a minute becomes the notes of a score."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.audio.decoding import declared_seconds, decode
from radio.errors import AudioError
from radio.music.midi_score import FileNote, Score
from radio.transcription.network import RATE, Network
from radio.transcription.notes import HeardNote, find_notes
from radio.types import Seconds

LONGEST: Final[Seconds] = 60.0
_SLACK: Final[Seconds] = 0.5
"""Tolerance for the silence that encoders add at both ends, and for a browser's delay in stopping a recording."""

_SHORTEST: Final[Seconds] = 3.0
_WHOLE: Final = 0.9
"""Minimum share of its stated length that a complete file has."""

_UNKNOWN: Final = 2**31
"""Stated length in bytes that shows that the program that wrote a WAV file did not know its length."""

_SILENT: Final = -60.0
"""Level in dBFS below which a recording is silent."""

_FEWEST: Final = 8
_SURE: Final = 0.4
"""Mean strength below which the notes are probably noise."""

_PPQ: Final = 960
_TICKS: Final = 2 * _PPQ
"""Ticks per second, at 120 quarter notes per minute, the tempo of files that state none."""

_ALLOWED: Final = "use a recording of an instrument, or of a hummed or sung melody, of 3 to 60 seconds"


def transcribe(path: Path) -> Score:
    """Return the notes of a recording. Their ticks measure time, because the beats are not known yet.

    Raises:
        AudioError: The recording cannot be used; the message says why, and what would be right. Or onnxruntime is not
            installed.
    """
    network = Network()
    mono = _samples(path)
    level = 20 * np.log10(max(float(np.sqrt(np.mean(mono.astype(np.float64) ** 2))), 1e-9))
    if level < _SILENT:
        raise AudioError(f"it is silent, at {level:.0f} dBFS; {_ALLOWED}")
    notes = find_notes(network.listen(mono))
    seconds = len(mono) / RATE
    if len(notes) < _FEWEST:
        raise AudioError(f"too few notes were heard: {len(notes)} in its {seconds:.0f} seconds; {_ALLOWED}")
    strength = float(np.mean([note.strength for note in notes]))
    if strength < _SURE:
        raise AudioError(f"it sounds like noise: the notes in it have a mean probability of {strength:.0%}; {_ALLOWED}")
    return Score(_PPQ, sorted(map(_file_note, notes)), timed=True)


def _samples(path: Path) -> npt.NDArray[np.float32]:
    """Return the samples of a recording in mono at 22,050 Hz."""
    if (missing := _missing_share(path)) > 0:
        raise AudioError(f"it is cut short: {missing:.0%} of its stated length is missing; send the whole file")
    most = round((LONGEST + _SLACK) * RATE)
    blocks, count = [], 0
    try:
        for block in decode(path, RATE):
            blocks.append(block.mean(axis=1))
            count += len(block)
            if count > most:
                break
    except AudioError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise AudioError(f"after {count / RATE:.0f} seconds it is damaged: {message}" if count else message) from None
    seconds, stated = count / RATE, declared_seconds(path) or 0.0
    if count > most:
        length = f"{stated:.0f} seconds" if stated > LONGEST else "more than 60 seconds"
        raise AudioError(f"it lasts {length}; {_ALLOWED}")
    if seconds < _WHOLE * stated:
        raise AudioError(
            f"it is cut short: its header states {stated:.1f} seconds, but it has {seconds:.1f}; send the whole file"
        )
    if seconds < _SHORTEST:
        raise AudioError(f"it lasts {seconds:.1f} seconds; {_ALLOWED}")
    return np.concatenate(blocks)


def _missing_share(path: Path) -> float:
    """Return the share of a WAV file that is missing, which libav does not report; 0 for other files."""
    try:
        with path.open("rb") as file:
            begins = file.read(8)
            size = file.seek(0, os.SEEK_END)
    except OSError:
        return 0.0
    stated = int.from_bytes(begins[4:], "little") + len(begins)
    return 1 - size / stated if begins.startswith(b"RIFF") and size < _WHOLE * stated < _UNKNOWN else 0.0


def _file_note(heard: HeardNote) -> FileNote:
    velocity = min(127, max(1, round(127 * heard.strength)))
    return FileNote(round(heard.start * _TICKS), round(heard.end * _TICKS), heard.note, velocity, 0, "")
