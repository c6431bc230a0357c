"""Audio files: WAV, and the formats that ffmpeg encodes."""

from __future__ import annotations

import re
import shutil
import wave
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from radio.audio.loudness import Meter
from radio.errors import StorageError, StreamError
from radio.types import SAMPLE_RATE, Block, Frames, ProgressCallback

FFMPEG_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    ".flac": {"codec:a": "flac"},
    ".mp3": {"codec:a": "libmp3lame", "q:a": "2"},
    ".opus": {"codec:a": "libopus", "b:a": "128k"},
}
"""The options of ffmpeg for each file type that it encodes."""
_LEAST_ROOM: Final = 1 << 20
"""A disk with fewer free bytes than this counts as full."""


class Chapter(NamedTuple):
    """A part of a file with its own title."""

    title: str
    start: Frames
    end: Frames


def write_wav(blocks: Iterable[Block], frames: Frames, path: Path, on_progress: ProgressCallback) -> str:
    """Write `frames` of audio to a 16-bit WAV file and return the loudness as text."""
    meter = Meter()
    done = 0
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
        for block in blocks:
            meter.add(block)
            file.writeframes(to_pcm(block))
            done += len(block)
            on_progress(done / frames)
    return f"{meter.integrated:.1f} LUFS, true peak {meter.true_peak:.1f} dBTP"


def encode(wav: Path, target: Path, *, tags: Mapping[str, str], chapters: Sequence[Chapter] = ()) -> None:
    """Convert a WAV file to `target` with the program ffmpeg, in the format given by the suffix.

    Args:
        wav: The file to convert.
        target: The file to write.
        tags: Values by name, such as `title` and `artist`.
        chapters: Chapters; FLAC files cannot hold any.

    Raises:
        StreamError: ffmpeg is not installed or failed; the message includes its last line.
        StorageError: the disk is full.
    """
    from ffmpeg import FFmpeg, FFmpegError

    options = {
        **FFMPEG_OPTIONS[target.suffix.lower()],
        # Without bitexact, each Ogg file has a random serial number and encoders write their version.
        "fflags": "+bitexact",
        "flags:a": "+bitexact",
        "metadata": [f"{name}={value}" for name, value in tags.items()],
    }
    program = FFmpeg().option("y").option("nostdin").input(wav)
    chapter_file = target.with_suffix(".chapters")
    if chapters:
        chapter_file.write_text(_ffmetadata(chapters), encoding="utf-8")
        program = program.input(chapter_file, {"f": "ffmetadata"})
        options["map_chapters"] = "1"
    try:
        program.output(target, options).execute()
    except FileNotFoundError as error:
        raise StreamError(missing_ffmpeg(target.suffix)) from error
    except FFmpegError as error:
        if shutil.disk_usage(target.parent).free < _LEAST_ROOM:
            raise StorageError(f"there is no space left for {target.suffix} files in {target.parent}") from error
        raise StreamError(f"ffmpeg could not write {target.name}: {error}") from error
    finally:
        chapter_file.unlink(missing_ok=True)


def missing_ffmpeg(suffix: str) -> str:
    """Return the error message for a file type that needs ffmpeg if ffmpeg is not installed."""
    return f"{suffix} files need the program ffmpeg, which is not installed: apt install ffmpeg, or use .wav"


def to_pcm(block: Block) -> bytes:
    """Convert a block to interleaved signed 16-bit little-endian samples."""
    return np.clip(np.rint(block * 32_768), -32_768, 32_767).astype("<i2").tobytes()


def _ffmetadata(chapters: Sequence[Chapter]) -> str:
    """Return chapters in the text format that ffmpeg reads."""
    lines = [";FFMETADATA1"]
    for title, start, end in chapters:
        escaped = re.sub(r"([=;#\\\n])", r"\\\1", title)
        lines += ["[CHAPTER]", f"TIMEBASE=1/{SAMPLE_RATE}", f"START={start}", f"END={end}", f"title={escaped}"]
    return "\n".join([*lines, ""])
