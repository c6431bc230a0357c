"""Standard output that may be full or closed."""

from __future__ import annotations

import os
import sys


def announce(text: str) -> None:
    """Print a text that is not a result. If standard output cannot be written, it is discarded from now on."""
    try:
        print(text, flush=True)
    except OSError:
        discard_unwritable()


def discard_unwritable() -> None:
    """Discard buffered output that cannot be written. Python would fail at exit, with a message and status 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
