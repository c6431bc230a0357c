"""Stations that begin as words describe, for the commands that take `--prompt` or read `prompt:`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from radio.errors import SettingsError

if TYPE_CHECKING:
    from radio.prompt.changes import Understanding
    from radio.settings.station import StationSettings


def prompted(words: str, settings: StationSettings) -> StationSettings:
    """Return a station that begins as `words` describe, and print to standard error what they became.

    Raises:
        SettingsError: No word is known.
    """
    from radio.prompt.changes import with_changes
    from radio.prompt.text import lines_of

    understanding = understood(words, settings)
    print(f"{settings.title}:", file=sys.stderr)
    for line in lines_of(understanding):
        print(f"  {line}", file=sys.stderr)
    if not understanding.says_something:
        raise SettingsError(f"--prompt: nothing of '{words}' was understood; try 'slow, rain, felt piano, no drums'")
    return with_changes(settings, understanding)


def begin_as_prompted(settings: StationSettings) -> StationSettings:
    """Return a station that begins as its own prompt describes; print what was not understood to standard error."""
    from radio.prompt.changes import with_changes

    if not settings.prompt:
        return settings
    understanding = understood(settings.prompt, settings)
    for phrase in understanding.not_understood:
        reason = f"'{phrase.text}' is not understood: {'; '.join(phrase.notes)}"
        print(f"radio: warning: {settings.name}: prompt: {reason}", file=sys.stderr)
    return with_changes(settings, understanding)


def understood(words: str, settings: StationSettings) -> Understanding:
    """Return what becomes of a prompt. Raises SettingsError where it is too long."""
    from radio.prompt.changes import LONGEST, understand

    if len(words) > LONGEST:
        raise SettingsError(f"a prompt of {len(words)} characters is too long; it may have {LONGEST}")
    return understand(words, settings, settings.controls)
