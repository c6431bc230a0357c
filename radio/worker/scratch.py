"""A temporary folder that survives whoever cleans `/tmp`, and does not survive us.

A process that is killed, as by the system when memory runs out, deletes nothing. So each folder is locked while its
owner lives, and whoever makes the next one has those deleted that nobody holds. systemd-tmpfiles leaves a folder with a
lock alone too, however old it is (tmpfiles.d(5), "Age").
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
"""A folder bears this before its name until it is locked, so that nobody takes it for one that was left behind."""


class ScratchFolder:
    """A folder that is ours alone, until `delete`.

    Args:
        prefix: How its name begins.

    Raises:
        OSError: There is no room for it.
    """

    def __init__(self, prefix: str) -> None:
        made = Path(tempfile.mkdtemp(prefix=_NEW + prefix))
        self._lock = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = made.rename(made.with_name(made.name.removeprefix(_NEW)))

    def delete(self) -> None:
        """Delete it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def delete_abandoned(prefix: str) -> None:
    """Delete what dead processes of this user left under names that begin so. It may take a while."""
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # it is gone, no folder, not ours to open, or held
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(lock).st_uid == os.getuid():
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
