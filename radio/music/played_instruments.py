"""Instruments that a listener can choose for a part, by everyday names, as General MIDI programs and drum kits.

The radio's own soundfont has all of them; another soundfont may lack some.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ANY: Final = "any"
"""The choice that leaves the instrument to the station."""

_MELODIC: Final = {
    "vibraphone": 11, "music box": 10, "bells": 14, "nylon guitar": 24, "muted guitar": 28, "muted trumpet": 59,
    "flute": 73, "whistle": 78, "kalimba": 108,
}  # fmt: skip

INSTRUMENTS: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "keys": {
            "upright piano": 0, "felt piano": 1, "rhodes": 4, "wurlitzer": 5, "organ": 16, "soft pad": 88, "pad": 89,
            **_MELODIC,
        },
        "bass": {"upright bass": 32, "electric bass": 33, "sub bass": 38},
        "lead": _MELODIC,
        "drums": {"dusty": 0, "pop": 8, "electronic": 24, "analog": 25, "brushes": 40},
    }
)  # fmt: skip
"""Programs by part and name; the drums' programs are kits of bank 128."""


def choices(part: str) -> tuple[str, ...]:
    """Return the names that a listener can choose from for a part."""
    return (ANY, *INSTRUMENTS[part])
