"""A station's music as a file, rendered as fast as it goes; the file appears only when it is complete."""

from __future__ import annotations

import os
import shutil
import tempfile
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from radio.errors import SettingsError, StreamError, nearest
from radio.types import SAMPLE_RATE, Block, Frames

if TYPE_CHECKING:
    from radio.config import StationSettings
    from radio.station import Station

Share: TypeAlias = Callable[[float], None]
"""Told how much is done, 0–1."""

_ENCODINGS: Final[Mapping[str, Mapping[str, str]]] = {
    ".flac": {"codec:a": "flac"},
    ".mp3": {"codec:a": "libmp3lame", "q:a": "2"},
    ".opus": {"codec:a": "libopus", "b:a": "128k"},
}
"""What ffmpeg is told for each kind of file."""
ENDINGS: Final = (".mid", ".wav", *_ENCODINGS)

_BLOCK: Final[Frames] = SAMPLE_RATE
_SHORTEST: Final = 1 / 60
"""Minutes: less than a second holds no music worth a file."""
_LONGEST_AUDIO: Final = 360.0
"""Minutes: a WAV file counts its bytes in 32 bits, which is 372 minutes of ours."""
_ENCODED: Final = 0.95
"""Share of the bar that rendering takes where an encoder follows."""


def render(settings: StationSettings, *, minutes: float, seed: int, path: Path) -> None:
    """Write `minutes` of a station to `path`, in the format of its ending; a bar on stderr shows how far it is.

    The same settings, minutes and seed give the same bytes. Whatever goes wrong, a file that was there stays as it was.

    Raises:
        SettingsError: an ending that is not in `ENDINGS`, a folder that is not there, too few or too many minutes.
        StreamError: ffmpeg is not installed, or failed.
        RadioError: the station cannot be opened.
    """
    ending = _checked(path, minutes)
    console = Console(stderr=True)
    with _bar(console, path.name) as done, tempfile.TemporaryDirectory(dir=path.parent, prefix=".radio-") as folder:
        draft = Path(folder) / f"draft{ending}"
        summary = ""
        if ending == ".mid":
            from radio.station import write_midi

            write_midi(settings, minutes=minutes, seed=seed, path=draft, progress=done)
        else:
            from radio.station import open_station

            encoded = ending in _ENCODINGS
            wav = draft.with_suffix(".wav")
            share = _ENCODED if encoded else 1.0
            with closing(open_station(settings, seed=seed)) as station:
                summary = write_wav(station, round(minutes * 60 * SAMPLE_RATE), wav, lambda part: done(part * share))
            if encoded:
                encode(wav, draft, title=settings.title)
        draft.replace(path)
        done(1.0)
    console.print(f"{path}: {minutes:g} minutes{summary}", markup=False, highlight=False, soft_wrap=True)


def write_wav(station: Station, frames: Frames, path: Path, progress: Share) -> str:
    """Render a station to a 16-bit WAV file, block by block; returns its loudness in words."""
    from radio.audio.loudness import Meter

    meter = Meter()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        left = frames
        while left > 0:
            block = station.render(min(_BLOCK, left))
            station.events()  # nobody asks for them here, and they would pile up
            meter.add(block)
            file.writeframes(_samples(block))
            left -= len(block)
            progress(1 - left / frames)
    return f", {meter.integrated:.1f} LUFS, true peak {meter.true_peak:.1f} dBTP"


def encode(wav: Path, target: Path, *, title: str) -> None:
    """Turn a WAV file into `target` with the ffmpeg program, in the format of its ending.

    Raises:
        StreamError: ffmpeg is not installed, or failed; the message is its last line.
    """
    from ffmpeg import FFmpeg, FFmpegError

    # Without bitexact, Ogg gives each file a serial number of its own and encoders sign with their version.
    options = {**_ENCODINGS[target.suffix], "fflags": "+bitexact", "flags:a": "+bitexact", "metadata": f"title={title}"}
    program = FFmpeg().option("y").option("nostdin").input(wav).output(target, options)
    try:
        program.execute()
    except FileNotFoundError as error:
        raise StreamError(_no_ffmpeg(target.suffix)) from error
    except FFmpegError as error:
        raise StreamError(f"ffmpeg could not write {target.suffix}: {error}") from error


def _checked(path: Path, minutes: float) -> str:
    """The ending; whatever can be known to fail is said before an hour of music has been rendered."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        what = f"'{path.suffix}' is no kind of file that we write" if path.suffix else "the file's name has no ending"
        raise SettingsError(f"{path}: {what}.{nearest(ending, ENDINGS)} Known: {', '.join(ENDINGS)}")
    if not path.parent.is_dir():
        raise SettingsError(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise SettingsError(f"{path}: this is a folder: give the name of a file")
    if not os.access(path.parent, os.W_OK):
        raise SettingsError(f"{path}: the folder {path.parent} cannot be written to")
    if minutes < _SHORTEST:
        raise SettingsError(f"--minutes {minutes:g}: less than a second; the shortest file has 0.0167 minutes")
    if ending != ".mid" and minutes > _LONGEST_AUDIO:
        raise SettingsError(f"--minutes {minutes:g}: audio files hold at most {_LONGEST_AUDIO:g} minutes")
    if ending in _ENCODINGS and shutil.which("ffmpeg") is None:
        raise StreamError(_no_ffmpeg(ending))
    return ending


def _no_ffmpeg(ending: str) -> str:
    return f"{ending} files are written by the program ffmpeg, which is not installed: apt install ffmpeg, or use .wav"


@contextmanager
def _bar(console: Console, name: str) -> Iterator[Share]:
    """A progress bar, drawn on terminals only."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=1.0)
        yield lambda done: progress.update(task, completed=done)


def _samples(block: Block) -> bytes:
    """Interleaved signed 16-bit little-endian samples."""
    return np.clip(np.rint(block * 32_768), -32_768, 32_767).astype("<i2").tobytes()
