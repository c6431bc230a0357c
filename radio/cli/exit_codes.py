"""The exit statuses of `radio`."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1
"""Something failed at run time."""
USAGE: Final = 2
"""A mistake in the command line or the config."""
INTERRUPTED: Final = 130
