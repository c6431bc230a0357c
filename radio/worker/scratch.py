"""A temporary folder that is safe from cleaners of `/tmp` and is deleted even if its owner is killed.

A process that is killed, for example when memory runs out, cannot delete its folder. Therefore each folder is locked
while its owner lives, and the next owner deletes folders that are not locked. systemd-tmpfiles also spares locked
folders, regardless of their age (tmpfiles.d(5), "Age").
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_NEW: Final = "new-"
"""Prefix of a folder's name until it is locked, so that no other process mistakes it for an abandoned one."""


class ScratchFolder:
    """A temporary folder, locked until `delete`.

    Args:
        prefix: the beginning of its name.
        parent: the folder to create it in; None means the system's folder for temporary files.

    Raises:
        OSError: the folder cannot be created.
    """

    def __init__(self, prefix: str, parent: Path | None = None) -> None:
        unlocked = Path(tempfile.mkdtemp(prefix=_NEW + prefix, dir=parent))
        self._lock = os.open(unlocked, os.O_RDONLY | os.O_DIRECTORY)
        with contextlib.suppress(OSError):  # some network file systems have no locks; nothing counts as abandoned there
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = unlocked.rename(unlocked.with_name(unlocked.name.removeprefix(_NEW)))

    def delete(self) -> None:
        """Delete the folder and its contents."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def delete_abandoned(prefix: str, parent: Path | None = None) -> None:
    """Delete the folders with this prefix that dead processes of this user left behind. This may take a while."""
    for path in (parent or Path(tempfile.gettempdir())).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # already deleted, not a folder, not accessible, or locked
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(lock).st_uid == os.getuid():
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
