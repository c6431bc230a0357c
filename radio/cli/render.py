"""`radio render`: the music of a station as files, which appear only when they are complete."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radio.cli.arguments import add_station, count, load_config, positive, station_settings
from radio.cli.exit_codes import OK
from radio.errors import SettingsError, StreamError, did_you_mean

if TYPE_CHECKING:  # `radio --help` imports neither numpy nor rich
    from rich.console import Console

    from radio.settings.station import StationSettings
    from radio.station.rendering import ProgressCallback

_SHORTEST: Final = 1 / 60
"""Minutes. Less than a second holds no music worth a file."""
_LONGEST_AUDIO: Final = 360.0
"""Minutes. A WAV file counts its bytes in 32 bits, enough for 372 minutes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_station(parser)
    parser.add_argument("--minutes", type=positive, default=2.0, metavar="N", help="length, such as 2.5 [2]")
    parser.add_argument(
        "--instrument", metavar="NAME", help="instrument of the keys: a General MIDI name or its number, 0-127"
    )
    parser.add_argument("--no-drums", action="store_true", help="leave out the drums, like --set drums_mute=true")
    parser.add_argument(
        "--count", type=count, default=1, metavar="N", help="number of tracks, from successive seeds [1]"
    )
    parser.add_argument(
        "file", type=Path, nargs="+", help="file to write; its suffix selects the format: .mid .wav .flac .mp3 .opus"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    settings = station_settings(arguments, load_config(arguments.config))
    if arguments.instrument is not None:
        from radio.music.instruments import parse_program

        settings = replace(settings, keys_program=parse_program(arguments.instrument))
    if arguments.no_drums:
        settings = replace(settings, controls=settings.controls.changed({"drums_mute": True}))
    render(settings, minutes=arguments.minutes, paths=arguments.file, count=arguments.count)
    return OK


def render(settings: StationSettings, *, minutes: float, paths: Sequence[Path], count: int = 1) -> None:
    """Write `minutes` of a station to each of `paths`, and show the progress on standard error.

    The same settings and minutes give the same bytes. Where something fails, existing files stay as they were.

    Args:
        settings: The station, with its seed.
        minutes: Length of the music.
        paths: Files to write, in formats after their suffixes.
        count: Number of tracks, from successive seeds. Above 1, the name of each file ends in its seed.

    Raises:
        SettingsError: A suffix is not supported, a folder does not exist, or the length is out of range.
        StreamError: ffmpeg is not installed, or failed.
        RadioError: The station cannot be opened.
    """
    from rich.console import Console

    from radio.station import rendering

    for path in paths:
        _check(path, minutes)
    console = Console(stderr=True)
    for seed in range(settings.seed, settings.seed + count):
        targets = [path if count == 1 else path.with_stem(f"{path.stem}-{seed}") for path in paths]
        with _progress_bar(console, targets[0].name) as on_progress, _drafts(targets) as drafts:
            loudness = rendering.render(
                settings, seconds=minutes * 60, seed=seed, paths=drafts, on_progress=on_progress
            )
        words = f"{minutes:g} minute{'' if minutes == 1 else 's'}{', ' if loudness else ''}{loudness}"
        for target in targets:
            console.print(f"{target}: {words}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _drafts(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield a path beside each target. The drafts replace the targets when the block ends without error."""
    folders: dict[Path, tempfile.TemporaryDirectory[str]] = {}
    try:
        for parent in {target.parent for target in targets}:
            folders[parent] = tempfile.TemporaryDirectory(dir=parent, prefix=".radio-")
        drafts = [
            Path(folders[target.parent].name) / f"draft-{number}{target.suffix.lower()}"
            for number, target in enumerate(targets)
        ]
        yield drafts
        for draft, target in zip(drafts, targets, strict=True):
            draft.replace(target)
    finally:
        for folder in folders.values():
            folder.cleanup()


def _check(path: Path, minutes: float) -> None:
    """Raise for every mistake that can be known before the music is rendered."""
    from radio.station import rendering

    suffix = path.suffix.lower()
    if suffix not in rendering.SUFFIXES:
        reason = f"unsupported file type '{path.suffix}'" if path.suffix else "the file name has no suffix"
        known = f"{', '.join(rendering.SUFFIXES[:-1])} or {rendering.SUFFIXES[-1]}"
        raise SettingsError(f"{path}: {reason}; use {known}.{did_you_mean(suffix, rendering.SUFFIXES)}")
    if not path.parent.is_dir():
        raise SettingsError(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise SettingsError(f"{path}: this is a folder; give the name of a file")
    if not os.access(path.parent, os.W_OK):
        raise SettingsError(f"{path}: the folder {path.parent} is not writable")
    if minutes < _SHORTEST:
        raise SettingsError(f"--minutes {minutes:g}: less than a second; the shortest file has 0.0167 minutes")
    if suffix != ".mid" and minutes > _LONGEST_AUDIO:
        raise SettingsError(f"--minutes {minutes:g}: an audio file holds at most {_LONGEST_AUDIO:g} minutes")
    if suffix in rendering.FFMPEG_OPTIONS and shutil.which("ffmpeg") is None:
        raise StreamError(rendering.missing_ffmpeg(suffix))


@contextmanager
def _progress_bar(console: Console, name: str) -> Iterator[ProgressCallback]:
    """Show a progress bar, on terminals only."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=1.0)
        yield lambda done: progress.update(task, completed=done)
