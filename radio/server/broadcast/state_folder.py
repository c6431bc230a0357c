"""The folder where the radio keeps the state of its stations, in one atomically written file each."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from radio.errors import SnapshotError
from radio.server.broadcast.saved_station import SavedStation, decode, encode

SUFFIX: Final = ".state"
_ASIDE: Final = ".unusable"
_LARGEST: Final = 64 << 20

_log = logging.getLogger("radio.state")


class StateFolder:
    """The states of stations by name. Files are replaced atomically; an unusable one is set aside.

    Args:
        path: The folder; it is created if it is missing.

    Raises:
        SnapshotError: The folder cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SnapshotError(f"the state folder {path} cannot be created: {error.strerror or error}") from error

    def lock(self) -> None:
        """Lock the folder until this process ends. Raise SnapshotError if another radio uses it."""
        try:
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.unlock()
            raise SnapshotError(f"another radio uses the state folder {self.path}") from None
        except OSError as error:
            raise SnapshotError(f"the state folder {self.path} cannot be used: {error.strerror or error}") from error

    def unlock(self) -> None:
        """Release the lock, so that other radios can use the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def names(self) -> list[str]:
        """Return the names of the stations that have a state."""
        return sorted(file.stem for file in self.path.glob(f"*{SUFFIX}"))

    def states(self) -> Iterator[tuple[str, SavedStation | SnapshotError]]:
        """Yield the state of each station, or the error if it cannot be used."""
        for name in self.names():
            try:
                yield name, self.read(name)
            except SnapshotError as error:
                yield name, error

    def read(self, name: str) -> SavedStation:
        """Return the state of a station. Raise SnapshotError if there is none, or it cannot be used."""
        return read_file(self._file(name))

    def load(self, name: str) -> SavedStation | None:
        """Return the state of a station, or None if there is none. An unusable state is set aside."""
        if not self._file(name).exists():
            return None
        try:
            return self.read(name)
        except SnapshotError as error:
            self.set_aside(name, str(error))
            return None

    def set_aside(self, name: str, reason: str) -> None:
        """Rename a state, so that the station begins a new piece, and log why."""
        file = self._file(name)
        aside = file.with_suffix(_ASIDE)
        try:
            file.replace(aside)
        except OSError as error:
            _log.error("station '%s': its saved state is not used: %s (%s)", name, reason, error)
        else:
            _log.error("station '%s': its saved state is not used, and was moved to %s: %s", name, aside, reason)

    def write(self, name: str, saved: SavedStation) -> None:
        """Replace the state of a station; its channel makes one call at a time.

        Raise OSError if the state cannot be written; the old one then remains.
        """
        write_file(self._file(name), encode(saved))

    def clear(self, name: str) -> None:
        """Remove the state of a station. Raise SnapshotError if there is none."""
        try:
            self._file(name).unlink()
        except OSError as error:
            raise SnapshotError(f"the state of '{name}' cannot be removed: {error.strerror or error}") from error

    def clear_all(self) -> None:
        """Remove all states. Raise SnapshotError if one cannot be removed."""
        for name in self.names():
            self.clear(name)

    def _file(self, name: str) -> Path:
        return self.path / f"{name}{SUFFIX}"


def read_file(path: Path) -> SavedStation:
    """Return the state in a file. Raise SnapshotError if it cannot be read or used."""
    try:
        if path.stat().st_size > _LARGEST:
            raise SnapshotError(f"{path}: it is too large for the state of a station")
        data = path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror or error}") from error
    try:
        return decode(data)
    except SnapshotError as error:
        raise SnapshotError(f"{path}: {error}") from error


def write_file(path: Path, data: bytes) -> None:
    """Replace a file atomically: it has its old or its new content, even if the machine crashes.

    Only one caller at a time may write a file, since the name of its draft is fixed.
    """
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
