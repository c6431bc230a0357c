"""The drums that the radio plays for the pads of electronic kits and for General MIDI drums."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PADS: Final[Mapping[int, int]] = MappingProxyType({
    36: 36, 38: 38, 40: 38, 37: 37, 48: 48, 50: 50, 45: 47, 47: 47, 43: 43, 58: 43, 46: 46, 26: 46, 42: 42, 22: 42,
    44: 44, 49: 49, 55: 49, 57: 57, 52: 52, 51: 51, 59: 59, 53: 53, 39: 39, 54: 54, 56: 56,
})  # fmt: skip
"""Pad → General MIDI drum. Rims become the snare; the edge and the bow of a cymbal become one drum."""
