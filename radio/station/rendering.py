"""Rendering of a station's music to files: MIDI, WAV, and the formats that ffmpeg encodes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from radio.errors import SettingsError, StreamError
from radio.settings.station import StationSettings
from radio.station.audio_files import FFMPEG_OPTIONS, encode, write_wav
from radio.station.extent import Extent
from radio.station.midi_export import write_midi
from radio.station.score import Score, compose
from radio.station.score_audio import play
from radio.types import SAMPLE_RATE, Frames, ProgressCallback

SUFFIXES: Final = (".mid", ".wav", *FFMPEG_OPTIONS)
"""The supported file types."""

LONGEST_AUDIO: Final[Frames] = 360 * 60 * SAMPLE_RATE
"""A WAV file counts its bytes in 32 bits, enough for 372 minutes."""

_COMPOSE_SHARE: Final = 0.2
"""Share of the work taken by composing if audio is rendered afterwards."""

_ENCODE_SHARE: Final = 0.06
"""Share of the work taken by encoding if any file is encoded."""


def render(
    settings: StationSettings, *, extent: Extent, seed: int, paths: Sequence[Path], on_progress: ProgressCallback
) -> str:
    """Compose music and write it to each of `paths`, in the format given by the path's suffix.

    The same settings, extent and seed give the same bytes. If only MIDI files are requested, no audio is rendered,
    which is much faster.

    Returns:
        A description: title, length, and, if audio was rendered, its loudness.

    Raises:
        StreamError: a file cannot be written, or ffmpeg is not installed or failed.
        RadioError: the station cannot be opened, or the music is too long for an audio file.
    """
    audio_paths = [path for path in paths if path.suffix.lower() != ".mid"]
    share = _COMPOSE_SHARE if audio_paths else 1.0
    score = compose(settings, seed, extent, on_progress=lambda done: on_progress(done * share))
    for path in paths:
        if path not in audio_paths:
            with naming(path):
                write_midi(score, path)
    seconds = round(score.frames / SAMPLE_RATE)
    words = [score.title, f"{seconds // 60}:{seconds % 60:02}"]
    if audio_paths:
        words.append(_write_audio(score, audio_paths, lambda done: on_progress(share + done * (1 - share))))
    return ", ".join(words)


def _write_audio(score: Score, paths: Sequence[Path], on_progress: ProgressCallback) -> str:
    """Write a score to audio files and return its loudness as text."""
    if score.frames > LONGEST_AUDIO:
        minutes = score.frames / SAMPLE_RATE / 60
        limit = LONGEST_AUDIO / SAMPLE_RATE / 60
        raise SettingsError(f"the music lasts {minutes:.0f} minutes; an audio file holds at most {limit:.0f}")
    wavs = [path for path in paths if path.suffix.lower() == ".wav"]
    wav = wavs[0] if wavs else paths[0].with_suffix(".wav")
    encoded = [path for path in paths if path.suffix.lower() in FFMPEG_OPTIONS]
    share = 1 - _ENCODE_SHARE if encoded else 1.0
    with naming(wav):
        loudness = write_wav(play(score), score.frames, wav, lambda done: on_progress(done * share))
    for path in wavs[1:]:
        with naming(path):
            shutil.copyfile(wav, path)
    chapters = score.chapters if len(score.chapters) > 1 else ()
    for number, path in enumerate(encoded):
        encode(wav, path, tags=_tags(score, path.suffix.lower()), chapters=chapters)
        on_progress(share + (1 - share) * (number + 1) / len(encoded))
    if not wavs:
        wav.unlink()
    return loudness


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn system errors, such as a full disk, into StreamErrors that name the file."""
    try:
        yield
    except OSError as error:
        raise StreamError(f"{path.name} cannot be written: {error.strerror or error}") from error


def _tags(score: Score, suffix: str) -> dict[str, str]:
    """Return the tags that players show: title, station, and, for a single track, its key and tempo."""
    tags = {"title": score.title, "artist": score.settings.title}
    if music := score.key_and_tempo:
        key, tempo = music
        # ID3 has frames for both, with a whole number for the tempo; the other formats follow convention.
        names = ("TKEY", "TBPM") if suffix == ".mp3" else ("INITIALKEY", "BPM")
        tags |= {names[0]: key, names[1]: f"{tempo:.0f}" if suffix == ".mp3" else f"{tempo:g}"}
    return tags
