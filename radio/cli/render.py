"""`radio render`: write the music of a station to files, which appear only when they are complete."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radio.cli.arguments import (
    add_station,
    check_target,
    count,
    load_config,
    positive,
    print_drawn_seed,
    station_settings,
)
from radio.cli.exit_codes import OK
from radio.cli.musicgen import take_recording
from radio.cli.priming import primed
from radio.cli.progress import progress_bar
from radio.errors import SettingsError, StreamError, did_you_mean
from radio.music.names import shown
from radio.types import LARGEST_SEED, SAMPLE_RATE

if TYPE_CHECKING:  # `radio --help` imports neither numpy nor rich
    from radio.settings.station import StationSettings
    from radio.station.extent import Extent

_DRAFTS: Final = ".radio-"
"""Prefix of the folders that contain files until they are complete."""

_SHORTEST: Final = 1 / 60
"""Shortest length in minutes: one second."""

_LONGEST: Final = 7 * 24 * 60
"""Longest length in minutes, that of a MIDI file; audio files are shorter."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_station(parser)
    parser.add_argument("--tracks", type=count, metavar="N", help="number of whole tracks, from intro to ending [1]")
    parser.add_argument(
        "--bars", type=count, metavar="N", help="number of bars without intro and ending, which can be looped"
    )
    parser.add_argument("--minutes", type=positive, metavar="N", help="length, such as 2.5; the music fades at its end")
    parser.add_argument(
        "--instrument", metavar="NAME", help="instrument of the keys: a General MIDI name or its number, 0-127"
    )
    parser.add_argument("--no-drums", action="store_true", help="leave out the drums, like --set drums_mute=true")
    parser.add_argument(
        "--count", type=count, default=1, metavar="N", help="number of files, from successive seeds [1]"
    )
    parser.add_argument(
        "file", type=Path, nargs="+", help="file to write; its suffix selects the format: .mid .wav .flac .mp3 .opus"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    extent = extent_of(arguments)
    for path in arguments.file:
        _check(path, extent)
    config = load_config(arguments.config)
    settings = station_settings(arguments, config)
    take_recording(arguments)
    settings = primed(arguments, settings)
    if arguments.instrument is not None:
        from radio.music.instruments import parse_program
        from radio.music.played_instruments import ANY

        controls = settings.controls.changed({"keys_instrument": ANY})
        settings = replace(settings, keys_program=parse_program(arguments.instrument), controls=controls)
    if arguments.no_drums:
        settings = replace(settings, controls=settings.controls.changed({"drums_mute": True}))
    render(settings, extent=extent, paths=arguments.file, count=arguments.count)
    print_drawn_seed(arguments, config, settings)
    return OK


def extent_of(arguments: argparse.Namespace) -> Extent:
    """Return the part of the music that `--tracks`, `--bars` or `--minutes` selects.

    Raises:
        SettingsError: More than one of them is given, or the length is out of range.
    """
    from radio.station.extent import BarLoop, TimedExcerpt, WholeTracks

    names = [name for name in ("tracks", "bars", "minutes") if getattr(arguments, name) is not None]
    if len(names) > 1:
        options = " and ".join(f"--{name}" for name in names)
        raise SettingsError(f"{options} cannot be combined; use one of --tracks, --bars and --minutes")
    if arguments.bars is not None:
        return BarLoop(arguments.bars)
    if arguments.minutes is not None:
        if arguments.minutes < _SHORTEST:
            raise SettingsError(
                f"--minutes {arguments.minutes:g}: less than a second; the shortest file has 0.0167 minutes"
            )
        if arguments.minutes > _LONGEST:
            raise SettingsError(f"--minutes {arguments.minutes:g}: a file holds at most a week, {_LONGEST} minutes")
        return TimedExcerpt(60 * arguments.minutes)
    return WholeTracks(arguments.tracks or 1)


def render(settings: StationSettings, *, extent: Extent, paths: Sequence[Path], count: int = 1) -> None:
    """Write a part of a station's music to each of `paths`, and show the progress on standard error.

    The same settings and extent give the same bytes. If something fails, existing files do not change.

    Args:
        settings: The station, with its seed.
        extent: The part of the music.
        paths: Files to write, in the formats of their suffixes.
        count: Number of files, from successive seeds. Above 1, the name of each file ends in its seed.

    Raises:
        SettingsError: A suffix is not supported, a folder does not exist, or the length is out of range.
        StreamError: ffmpeg is not installed, or it failed.
        RadioError: The station cannot be opened.
    """
    from rich.console import Console

    from radio.station import rendering

    for path in paths:
        _check(path, extent)
    if (last := settings.seed + count - 1) > LARGEST_SEED:
        raise SettingsError(f"--count {count}: the last seed would be {last}; the largest is {LARGEST_SEED}")
    console = Console(stderr=True)
    for seed in range(settings.seed, settings.seed + count):
        targets = [path if count == 1 else path.with_stem(f"{path.stem}-{seed}") for path in paths]
        with progress_bar(console, targets[0].name) as on_progress, _drafts(targets) as drafts:
            words = rendering.render(settings, extent=extent, seed=seed, paths=drafts, on_progress=on_progress)
        for target in targets:
            console.print(f"{shown(target)}: {words}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _drafts(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield a path of the same name for each target. The drafts replace the targets if the block ends without error.

    A target that is a symbolic link stays one: the file that it names is replaced. Drafts of a run that was killed are
    deleted by the next run that writes to the same folder.
    """
    from radio.worker.scratch import ScratchFolder, delete_abandoned

    folders: dict[Path, ScratchFolder] = {}
    files = [target.resolve() for target in targets]
    try:
        for parent in {file.parent for file in files}:
            delete_abandoned(_DRAFTS, parent)
            folders[parent] = ScratchFolder(_DRAFTS, parent)
        drafts = [
            folders[file.parent].path / str(number) / (target.stem + target.suffix.lower())
            for number, (target, file) in enumerate(zip(targets, files, strict=True))
        ]
        for draft in drafts:
            draft.parent.mkdir()
        yield drafts
        for draft, file in zip(drafts, files, strict=True):
            draft.replace(file)
    finally:
        for folder in folders.values():
            folder.delete()


def _check(path: Path, extent: Extent) -> None:
    """Raise an error for any mistake that can be detected before the music is rendered."""
    from radio.station import audio_files, rendering
    from radio.station.extent import TimedExcerpt

    suffix = path.suffix.lower()
    if suffix not in rendering.SUFFIXES:
        reason = f"unsupported file type '{path.suffix}'" if path.suffix else "the file name has no suffix"
        known = f"{', '.join(rendering.SUFFIXES[:-1])} or {rendering.SUFFIXES[-1]}"
        raise SettingsError(f"{path}: {reason}; use {known}.{did_you_mean(suffix, rendering.SUFFIXES)}")
    check_target(path)
    longest = rendering.LONGEST_AUDIO / SAMPLE_RATE
    if suffix != ".mid" and isinstance(extent, TimedExcerpt) and extent.seconds > longest:
        raise SettingsError(f"--minutes {extent.seconds / 60:g}: an audio file holds at most {longest / 60:g} minutes")
    if suffix in audio_files.FFMPEG_OPTIONS and shutil.which("ffmpeg") is None:
        raise StreamError(audio_files.missing_ffmpeg(suffix))
