"""Memory settings for processes that run for weeks."""

from __future__ import annotations

import ctypes
from typing import Final

_MMAP_THRESHOLD: Final = -3
_BLOCK: Final = 128 * 2**10


def return_freed_blocks() -> None:
    """Make the allocator return blocks of 128 kB and more to the system as soon as they are freed.

    By default, glibc raises this limit to the size of each larger block that is freed. Snapshots of half a megabyte
    then share the heap with small objects, which keep it from shrinking: a server grew by 5 MB per hour.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, _BLOCK)
