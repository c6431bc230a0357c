"""Paths of the files that the package ships."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parent
CHECKPOINTS: Final = PACKAGE / "checkpoints"
CHECKSUMS: Final = PACKAGE / "checksums.txt"
"""SHA-256 of the checkpoints and instruments, written by `scripts/checksums`."""
DRUM_TIMINGS: Final = CHECKPOINTS / "timing.json"
"""Onset times of real drummers, by style; `radio.compose.drum_timing` reads them."""
SOUNDFONT: Final = PACKAGE / "instruments" / "lofi.sf2"
"""The radio's instruments; `python -m train instruments` makes them."""
TAGGER: Final = PACKAGE / "judge" / "weights" / "musicnn-msd.safetensors"
"""Weights of the tagger; `python -m train tagger` converts them."""
WEB: Final = PACKAGE / "web"
FONTS: Final = WEB / "fonts"
ARTWORK: Final = PACKAGE / "push" / "art" / "night.jpg"
"""Default picture of a push."""

_IN_WHEEL: Final = PACKAGE / "stations.yaml"
STATIONS: Final = _IN_WHEEL if _IN_WHEEL.exists() else PACKAGE.parent / "stations.yaml"
"""The shipped stations: inside the package in a wheel, at the top level in a checkout."""


def state_folder() -> Path | None:
    """Return the folder for the state of the stations (XDG base directories), or None if there is no home folder."""
    return _user_folder("XDG_STATE_HOME", ".local/state")


def cache_folder() -> Path | None:
    """Return the folder for files that can be recreated (XDG base directories), or None if there is no home folder."""
    return _user_folder("XDG_CACHE_HOME", ".cache")


def _user_folder(variable: str, usual: str) -> Path | None:
    if (named := os.environ.get(variable)) and Path(named).is_absolute():
        return Path(named) / "radio"
    try:
        return Path.home() / usual / "radio"
    except RuntimeError:
        return None
