"""Cleaning of names and texts from files: no characters that control a terminal, a log or a page."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from typing import Final

_ESCAPES: Final = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]?")
"""Control sequences of ECMA-48, and sequences that set a terminal's title."""

_LONGEST: Final = 120
"""Most characters of a name that are shown."""


def decode(data: bytes) -> str:
    """Return a text of a MIDI file, safe to show: decoded as UTF-8 if valid, else as Latin-1."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return printable(text)


def printable(text: str) -> str:
    """Return text on one line, without control and format characters, cut to 120 characters."""
    spaced = re.sub(r"[\s\u2028\u2029]+", " ", _ESCAPES.sub("", text))
    plain = "".join(character for character in spaced if unicodedata.category(character)[0] != "C")
    line = " ".join(plain.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def shown(path: Path) -> str:
    """Return a path for messages; a byte that is not UTF-8 is written as a four-character escape."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(character if character.isprintable() else "�" for character in text)


def shown_name(path: Path) -> str:
    """Return the name of a file for messages, as `shown`."""
    return shown(Path(path.name))


def without_controls(line: str) -> str:
    """Return a line with spaces for tabs, and a replacement character for each control character and surrogate."""
    return "".join("�" if unicodedata.category(one) in ("Cc", "Cs") else one for one in line.expandtabs())
