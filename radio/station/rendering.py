"""Music as files: one rendering, faster than it plays, written in every format that is asked for."""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from radio.errors import StreamError
from radio.types import SAMPLE_RATE, TICKS_PER_BEAT, Block, Frames, Seconds

if TYPE_CHECKING:
    from radio.compose.composer import Bar
    from radio.settings.station import StationSettings
    from radio.station.station import Station

ProgressCallback: TypeAlias = Callable[[float], None]
"""Told how much is done, 0–1."""

ENCODED: Final[Mapping[str, Mapping[str, str]]] = {
    ".flac": {"codec:a": "flac"},
    ".mp3": {"codec:a": "libmp3lame", "q:a": "2"},
    ".opus": {"codec:a": "libopus", "b:a": "128k"},
}
"""What ffmpeg is told for each kind of file that it writes."""

ENDINGS: Final = (".mid", ".wav", *ENCODED)

_BLOCK: Final[Frames] = SAMPLE_RATE
_RENDERED: Final = 0.93
"""Share of the work that rendering is, where encoders follow."""


def render(
    settings: StationSettings, *, seconds: Seconds, seed: int, paths: Sequence[Path], progress: ProgressCallback
) -> str:
    """Make one track and write it to each of `paths`, in the format of its ending; returns its loudness in words.

    The same settings, seconds and seed give the same bytes. A MIDI file alone is composed and never heard, which is
    faster by far, and its loudness is an empty string.

    Raises:
        StreamError: ffmpeg is not installed, or failed.
        RadioError: the station cannot be opened.
    """
    from radio.station.factory import open_station
    from radio.station.midi_export import write_bars, write_midi

    sheets = [path for path in paths if path.suffix.lower() == ".mid"]
    sounds = [path for path in paths if path not in sheets]
    if not sounds:
        write_midi(settings, minutes=seconds / 60, seed=seed, path=sheets[0], on_progress=progress)
        for copy in sheets[1:]:
            copy.write_bytes(sheets[0].read_bytes())
        return ""
    bars: list[Bar] = []
    wavs = [path for path in sounds if path.suffix.lower() == ".wav"]
    wav = wavs[0] if wavs else sounds[0].with_suffix(".wav")
    encoded = [path for path in sounds if path.suffix.lower() in ENCODED]
    share = _RENDERED if encoded else 1.0
    with closing(open_station(settings, seed=seed, on_bar=bars.append)) as station:
        loudness = write_wav(station, round(seconds * SAMPLE_RATE), wav, lambda done: progress(done * share))
    for number, path in enumerate(encoded):
        encode(wav, path, title=bars[0].track.title if bars else settings.title, station=settings.title)
        progress(share + (1 - share) * (number + 1) / len(encoded))
    for path in sheets:
        write_bars(settings, bars, end=round(seconds / 60 * settings.controls.tempo * TICKS_PER_BEAT), path=path)
    if not wavs:
        wav.unlink()
    return loudness


def write_wav(station: Station, frames: Frames, path: Path, progress: ProgressCallback) -> str:
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
            file.writeframes(samples(block))
            left -= len(block)
            progress(1 - left / frames)
    return f"{meter.integrated:.1f} LUFS, true peak {meter.true_peak:.1f} dBTP"


def encode(wav: Path, target: Path, *, title: str, station: str) -> None:
    """Turn a WAV file into `target` with the ffmpeg program, in the format of its ending.

    Raises:
        StreamError: ffmpeg is not installed, or failed; the message is its last line.
    """
    from ffmpeg import FFmpeg, FFmpegError

    options = {
        **ENCODED[target.suffix.lower()],
        # Without bitexact, Ogg gives each file a serial number of its own and encoders sign with their version.
        "fflags": "+bitexact",
        "flags:a": "+bitexact",
        "metadata": [f"title={title}", f"artist={station}"],
    }
    program = FFmpeg().option("y").option("nostdin").input(wav).output(target, options)
    try:
        program.execute()
    except FileNotFoundError as error:
        raise StreamError(no_ffmpeg(target.suffix)) from error
    except FFmpegError as error:
        raise StreamError(f"ffmpeg could not write {target.suffix}: {error}") from error


def no_ffmpeg(ending: str) -> str:
    """What to say where the program ffmpeg is missing."""
    return f"{ending} files are written by the program ffmpeg, which is not installed: apt install ffmpeg, or use .wav"


@dataclass(frozen=True, slots=True)
class RenderOrder:
    """Tracks that somebody asked for: a task for `radio.worker.job_queue`, one track from each seed, each in every
    format.
    """

    settings: StationSettings
    seconds: Seconds
    seeds: tuple[int, ...]
    endings: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Of the files, in the order in which they are made."""
        return [f"{self.settings.name}-{seed}{ending}" for seed in self.seeds for ending in self.endings]

    def run(self, folder: Path, progress: ProgressCallback) -> Path:
        """Write the files into a folder of their own below `folder`, and return that."""
        done = folder / "tracks"
        done.mkdir()
        for place, seed in enumerate(self.seeds):
            paths = [done / f"{self.settings.name}-{seed}{ending}" for ending in self.endings]
            before = place / len(self.seeds)
            render(
                self.settings,
                seconds=self.seconds,
                seed=seed,
                paths=paths,
                progress=lambda share, before=before: progress(before + share / len(self.seeds)),  # type: ignore[misc]
            )
        return done


def samples(block: Block) -> bytes:
    """Interleaved signed 16-bit little-endian samples."""
    return np.clip(np.rint(block * 32_768), -32_768, 32_767).astype("<i2").tobytes()
