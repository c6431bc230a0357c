"""The compiled effects (`kernels/audio`), if they were built when the radio was installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

_INTERFACE = 1
"""Interface version of the extension that this code requires."""


def _compiled() -> Any:
    try:
        module = import_module("radio.audio._native")
    except ImportError:
        return None
    return module if getattr(module, "interface", 0) == _INTERFACE else None  # an editable install with newer sources


effects: Final[Any] = _compiled()
"""The extension, or None, in which case numpy computes the effects."""
