"""Rendering of tracks to files: MIDI, WAV, and the formats that ffmpeg encodes."""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from radio.errors import StreamError
from radio.types import SAMPLE_RATE, Block, Frames, Seconds

if TYPE_CHECKING:
    from radio.compose.composer import Bar
    from radio.settings.station import StationSettings
    from radio.station.station import Station

ProgressCallback: TypeAlias = Callable[[float], None]
"""Called with the completed share of the work, 0–1."""

FFMPEG_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    ".flac": {"codec:a": "flac"},
    ".mp3": {"codec:a": "libmp3lame", "q:a": "2"},
    ".opus": {"codec:a": "libopus", "b:a": "128k"},
}
"""The options of ffmpeg for each file type that it encodes."""

SUFFIXES: Final = (".mid", ".wav", *FFMPEG_OPTIONS)
"""The supported file types."""

_RENDER_BLOCK: Final[Frames] = SAMPLE_RATE
_RENDER_SHARE: Final = 0.93
"""Rendering's share of the work if files are encoded afterwards."""


def render(
    settings: StationSettings, *, seconds: Seconds, seed: int, paths: Sequence[Path], on_progress: ProgressCallback
) -> str:
    """Create one track and write it to each of `paths`, in the format given by the path's suffix.

    The same settings, seconds and seed give the same bytes. If only MIDI files are requested, no audio is rendered,
    which is much faster.

    Returns:
        The loudness as text, or an empty string without audio.

    Raises:
        StreamError: ffmpeg is not installed or failed.
        RadioError: the station cannot be opened.
    """
    from radio.station.factory import open_station
    from radio.station.midi_export import write_bars, write_midi

    midi_paths = [path for path in paths if path.suffix.lower() == ".mid"]
    audio_paths = [path for path in paths if path not in midi_paths]
    if not audio_paths:
        write_midi(settings, minutes=seconds / 60, seed=seed, path=midi_paths[0], on_progress=on_progress)
        for copy in midi_paths[1:]:
            copy.write_bytes(midi_paths[0].read_bytes())
        return ""
    bars: list[Bar] = []
    wavs = [path for path in audio_paths if path.suffix.lower() == ".wav"]
    wav = wavs[0] if wavs else audio_paths[0].with_suffix(".wav")
    encoded = [path for path in audio_paths if path.suffix.lower() in FFMPEG_OPTIONS]
    share = _RENDER_SHARE if encoded else 1.0
    with closing(open_station(settings, seed=seed, on_bar=bars.append)) as station:
        loudness = write_wav(station, round(seconds * SAMPLE_RATE), wav, lambda done: on_progress(done * share))
    for number, path in enumerate(encoded):
        encode(wav, path, title=bars[0].track.title if bars else settings.title, station=settings.title)
        on_progress(share + (1 - share) * (number + 1) / len(encoded))
    for path in midi_paths:
        write_bars(settings, bars, seconds=seconds, path=path)
    if not wavs:
        wav.unlink()
    return loudness


def write_wav(station: Station, frames: Frames, path: Path, on_progress: ProgressCallback) -> str:
    """Render a station to a 16-bit WAV file and return the loudness as text."""
    from radio.audio.loudness import Meter

    meter = Meter()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        left = frames
        while left > 0:
            block = station.render(min(_RENDER_BLOCK, left))
            station.events()  # discard the events, which would accumulate
            meter.add(block)
            file.writeframes(to_pcm(block))
            left -= len(block)
            on_progress(1 - left / frames)
    return f"{meter.integrated:.1f} LUFS, true peak {meter.true_peak:.1f} dBTP"


def encode(wav: Path, target: Path, *, title: str, station: str) -> None:
    """Convert a WAV file to `target` with the program ffmpeg, in the format given by the suffix.

    Raises:
        StreamError: ffmpeg is not installed or failed; the message includes its last line.
    """
    from ffmpeg import FFmpeg, FFmpegError

    options = {
        **FFMPEG_OPTIONS[target.suffix.lower()],
        # Without bitexact, each Ogg file has a random serial number and encoders write their version.
        "fflags": "+bitexact",
        "flags:a": "+bitexact",
        "metadata": [f"title={title}", f"artist={station}"],
    }
    program = FFmpeg().option("y").option("nostdin").input(wav).output(target, options)
    try:
        program.execute()
    except FileNotFoundError as error:
        raise StreamError(missing_ffmpeg(target.suffix)) from error
    except FFmpegError as error:
        raise StreamError(f"ffmpeg could not write {target.suffix}: {error}") from error


def missing_ffmpeg(suffix: str) -> str:
    """Return the error message for a file type that needs ffmpeg, which is not installed."""
    return f"{suffix} files need the program ffmpeg, which is not installed: apt install ffmpeg, or use .wav"


@dataclass(frozen=True, slots=True)
class RenderOrder:
    """An order of tracks, one for each seed, each in every format: a task for `radio.worker.job_queue`."""

    settings: StationSettings
    seconds: Seconds
    seeds: tuple[int, ...]
    suffixes: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The names of the files, in order of creation."""
        return [f"{self.settings.name}-{seed}{suffix}" for seed in self.seeds for suffix in self.suffixes]

    def run(self, folder: Path, on_progress: ProgressCallback) -> Path:
        """Write the files into a new folder below `folder` and return the new folder."""
        target = folder / "tracks"
        target.mkdir()
        for place, seed in enumerate(self.seeds):
            paths = [target / f"{self.settings.name}-{seed}{suffix}" for suffix in self.suffixes]
            previous = place / len(self.seeds)
            render(
                self.settings,
                seconds=self.seconds,
                seed=seed,
                paths=paths,
                on_progress=lambda share, previous=previous: on_progress(previous + share / len(self.seeds)),  # type: ignore[misc]
            )
        return target


def to_pcm(block: Block) -> bytes:
    """Convert a block to interleaved signed 16-bit little-endian samples."""
    return np.clip(np.rint(block * 32_768), -32_768, 32_767).astype("<i2").tobytes()
