"""In-memory copies of the files that stations use, so that stations keep playing if the originals change or vanish."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radio import files
from radio.compose import run_filter
from radio.paths import DRUM_TIMINGS

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

_MODELS: Final = ("piano", "drums", "chords", "bass", "band", "piano_state", "drums_state")
"""Settings that name a checkpoint or a tuned state, the last three only if the station has one."""


class Copy:
    """A file in memory.

    descriptor: open as long as this object exists. digest: SHA-256.
    """

    def __init__(self, descriptor: int, digest: str) -> None:
        self.descriptor = descriptor
        self.digest = digest
        weakref.finalize(self, os.close, descriptor)


@dataclass(frozen=True, slots=True)
class StationFiles:
    """The files of a station.

    copies: by path; a file that cannot be copied is missing.
    digests: SHA-256 of each checkpoint and tuned state that was copied.
    """

    copies: Mapping[Path, Copy]
    digests: Mapping[str, str]

    def descriptors(self) -> dict[str, int]:
        """Return the descriptor of each copy by the path of its file."""
        return {str(path): copy.descriptor for path, copy in self.copies.items()}


class FileCopies:
    """A maker of copies. Stations with the same files share one copy."""

    def __init__(self) -> None:
        self._by_digest: weakref.WeakValueDictionary[str, Copy] = weakref.WeakValueDictionary()

    def of(self, settings: StationSettings) -> StationFiles:
        """Copy the files of a station. This reads whole files: call it in a thread.

        A missing or damaged file is left out; the worker reports the problem.
        """
        named: dict[str, Path | None] = {name: getattr(settings, name) for name in _MODELS}
        models = {name: path for name, path in named.items() if path is not None}
        paths = {*models.values(), run_filter.path_beside(settings.piano), settings.soundfont, DRUM_TIMINGS}
        copies = {path: copy for path in paths if (copy := self._copy(path)) is not None}
        digests = {name: copies[path].digest for name, path in models.items() if path in copies}
        return StationFiles(copies, digests)

    def _copy(self, path: Path) -> Copy | None:
        try:
            descriptor, digest = files.copy(path)
        except (OSError, ValueError):
            return None
        copy = Copy(descriptor, digest)
        return self._by_digest.setdefault(digest, copy)
