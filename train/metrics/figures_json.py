"""Figures as JSON, which has neither NaN nor Infinity."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping


def figures_json(figures: object) -> str:
    """Return figures as JSON text, with null for numbers that are not finite."""
    return json.dumps(_with_null(figures), indent=2, allow_nan=False) + "\n"


def _with_null(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: _with_null(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_with_null(part) for part in value]
    return value
