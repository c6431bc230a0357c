"""The compiled effects (`kernels/audio`), if they were compiled when the radio was installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

_INTERFACE = 1
"""Version of the extension that the effects require."""


def _compiled() -> Any:
    try:
        module = import_module("radio.audio._native")
    except ImportError:
        return None
    return module if getattr(module, "interface", 0) == _INTERFACE else None  # an editable install with newer sources


effects: Final[Any] = _compiled()
"""The extension, or None; numpy computes the effects then."""
