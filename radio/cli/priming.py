"""Stations that start from a MIDI file or a recording, for the commands that take `--prime`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from radio.cli.prompting import VIA_MUSICGEN
from radio.errors import AudioError, MidiError, SettingsError
from radio.music.names import shown_name

if TYPE_CHECKING:
    from radio.settings.station import StationSettings


def add_prime(parser: argparse.ArgumentParser) -> None:
    """Add `--prime` and `--prime-part`."""
    parser.add_argument(
        "--prime",
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="start from a MIDI file, or a recording of up to a minute: the first three tracks adopt its tempo, key, "
        "chords, keyboard and drums; random starts from random notes",
    )
    parser.add_argument(
        "--prime-part",
        default=argparse.SUPPRESS,
        metavar="PART",
        help="keyboard part of --prime, such as 'channel 3', 'program 4' or 'track Piano' [found by program and name]",
    )


def primed(arguments: argparse.Namespace, settings: StationSettings) -> StationSettings:
    """Return a station that starts from `--prime`, and print a description of the file to standard error.

    Raises:
        SettingsError: `--prime-part` is given without `--prime`, or does not name a part.
        MidiError: The file cannot be used.
        AudioError: The recording cannot be used, or the packages to transcribe it are not installed.
    """
    from radio.settings.station import RANDOM_PRIME

    if arguments.prime is None:
        if arguments.prime_part is not None:
            raise SettingsError("--prime-part requires --prime FILE")
        return settings
    path, part = Path(arguments.prime), arguments.prime_part or ""
    if path == RANDOM_PRIME:
        if part:
            raise SettingsError("--prime-part requires a MIDI file as --prime, instead of random")
        print("random: two bars of random notes; tempo, key and chords are the station's own", file=sys.stderr)
    else:
        found = _found(path, part, generated=arguments.prompt_via == VIA_MUSICGEN)
        print(f"{shown_name(path)}: {found}", file=sys.stderr)
        path = path.resolve()
    return replace(settings, prime=path, prime_part=part)


def _found(path: Path, part: str, *, generated: bool) -> str:
    """Return a description of a file, or of the recording that MusicGen has generated."""
    from radio.compose.listening.reading import read_prime
    from radio.compose.prime import describe
    from radio.music.midi_parts import parse_part

    try:
        return describe(read_prime(path, parse_part(part)))
    except (MidiError, AudioError) as error:
        raise type(error)(f"{error}. Another --seed gives another recording") if generated else error from None
