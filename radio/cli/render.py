"""`radio render`: a station's music as files, which appear only when they are complete."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from radio.errors import SettingsError, StreamError, did_you_mean
from radio.station import rendering
from radio.station.rendering import FFMPEG_OPTIONS, SUFFIXES, ProgressCallback

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

_SHORTEST: Final = 1 / 60
"""Minutes: less than a second holds no music worth a file."""
_LONGEST_AUDIO: Final = 360.0
"""Minutes: a WAV file counts its bytes in 32 bits, which is 372 minutes of ours."""


def render(settings: StationSettings, *, minutes: float, seed: int, paths: Sequence[Path], count: int = 1) -> None:
    """Write `minutes` of a station to each of `paths`; a bar on stderr shows how far it is.

    The same settings, minutes and seed give the same bytes. Whatever goes wrong, a file that was there stays as it was.

    Args:
        count: how many tracks, from `seed` and those after it; where it is more than one, each file's name ends in its
            seed.

    Raises:
        SettingsError: an ending that is not in `SUFFIXES`, a folder that is not there, too few or too many minutes.
        StreamError: ffmpeg is not installed, or failed.
        RadioError: the station cannot be opened.
    """
    for path in paths:
        _check(path, minutes)
    console = Console(stderr=True)
    for each in range(seed, seed + count):
        targets = [path if count == 1 else path.with_stem(f"{path.stem}-{each}") for path in paths]
        with _bar(console, targets[0].name) as done, _drafts(targets) as drafts:
            loudness = rendering.render(settings, seconds=minutes * 60, seed=each, paths=drafts, on_progress=done)
        words = f"{minutes:g} minute{'' if minutes == 1 else 's'}{', ' if loudness else ''}{loudness}"
        for target in targets:
            console.print(f"{target}: {words}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _drafts(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Paths to write to, beside each target; they take the targets' places when all has gone well."""
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
    """Whatever can be known to fail is said before an hour of music has been rendered."""
    ending = path.suffix.lower()
    if ending not in SUFFIXES:
        what = f"'{path.suffix}' is no kind of file that we write" if path.suffix else "the file's name has no ending"
        raise SettingsError(f"{path}: {what}.{did_you_mean(ending, SUFFIXES)} Known: {', '.join(SUFFIXES)}")
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
    if ending in FFMPEG_OPTIONS and shutil.which("ffmpeg") is None:
        raise StreamError(rendering.missing_ffmpeg(ending))


@contextmanager
def _bar(console: Console, name: str) -> Iterator[ProgressCallback]:
    """A progress bar, drawn on terminals only."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=1.0)
        yield lambda done: progress.update(task, completed=done)
