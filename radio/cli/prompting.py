"""Stations that start according to words, for the commands that take `--prompt` or read `prompt:`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radio.errors import SettingsError

if TYPE_CHECKING:
    from radio.prompt.changes import Understanding
    from radio.settings.station import StationSettings


VIA_GRAMMAR: Final = "grammar"
VIA_MUSICGEN: Final = "musicgen"


def add_prompt(parser: argparse.ArgumentParser) -> None:
    """Add `--prompt`, `--prompt-via` and `--musicgen-weights`."""
    parser.add_argument(
        "--prompt",
        default=argparse.SUPPRESS,
        metavar="WORDS",
        help="describe the music, such as 'rainy night, slow, felt piano, no drums'; the radio says what it understood",
    )
    parser.add_argument(
        "--prompt-via",
        default=argparse.SUPPRESS,
        choices=(VIA_GRAMMAR, VIA_MUSICGEN),
        help="musicgen also generates half a minute of audio from the words with MusicGen, and starts from it as from "
        "--prime; needs the extra `musicgen` and --musicgen-weights [grammar]",
    )
    parser.add_argument(
        "--musicgen-weights",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="FOLDER",
        help="weights of MusicGen on this machine; nothing is downloaded, and you must check their license",
    )


def prompted(arguments: argparse.Namespace, settings: StationSettings) -> StationSettings:
    """Return a station with the changes of `--prompt`, and print to standard error how the words were understood.

    Raises:
        SettingsError: The grammar knows none of the words, and MusicGen is not used.
    """
    from radio.prompt.changes import with_changes
    from radio.prompt.text import lines_of

    words: str = arguments.prompt
    understanding = understood(words, settings)
    print(f"{settings.title}:", file=sys.stderr)
    for line in lines_of(understanding):
        print(f"  {line}", file=sys.stderr)
    if not understanding.says_something and arguments.prompt_via != VIA_MUSICGEN:
        raise SettingsError(f"--prompt: no part of '{words}' was understood; try 'slow, rain, felt piano, no drums'")
    return with_changes(settings, understanding)


def begin_as_prompted(settings: StationSettings) -> StationSettings:
    """Return a station with the changes of its own prompt; print phrases that are not understood to standard error."""
    from radio.prompt.changes import with_changes

    if not settings.prompt:
        return settings
    understanding = understood(settings.prompt, settings)
    for phrase in understanding.not_understood:
        reason = f"'{phrase.text}' is not understood: {'; '.join(phrase.notes)}"
        print(f"radio: warning: {settings.name}: prompt: {reason}", file=sys.stderr)
    return with_changes(settings, understanding)


def understood(words: str, settings: StationSettings) -> Understanding:
    """Return how a prompt is understood. Raises SettingsError if it is too long."""
    from radio.prompt.changes import LONGEST, understand

    if len(words) > LONGEST:
        raise SettingsError(f"a prompt of {len(words)} characters is too long; it may have at most {LONGEST}")
    return understand(words, settings, settings.controls)
