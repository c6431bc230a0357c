"""Targets: the control that sets each aspect of the music. A new control needs a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from radio.prompt.facets import Aspect

NUMBERS: Final[Mapping[Aspect, str]] = MappingProxyType(
    {
        "tempo": "tempo",
        "swing": "swing",
        "density": "density",
        "drums.density": "drums_density",
        "lead.density": "lead_density",
        "brightness": "lowpass",
        "wow": "wow",
        "energy": "energy",
        "freedom": "temperature",
    }
)
"""Controls of the aspects that are numbers, in the control's own unit."""

CHOICES: Final[Mapping[Aspect, str]] = MappingProxyType(
    {
        "mood": "mood",
        "mode": "mode",
        "key": "key",
        "kit": "drum_kit",
        "keys": "keys_instrument",
        "bass": "bass_instrument",
        "lead": "lead_instrument",
    }
)
"""Controls of the aspects that are words."""

AMBIENCE: Final[Mapping[Aspect, str]] = MappingProxyType(
    {
        "cafe": "cafe",
        "fire": "fire",
        "waves": "waves",
        "wind": "wind",
        "birds": "birds",
        "crickets": "night_insects",
        "thunder": "thunder",
        "train": "train",
        "city": "street",
        "typing": "keyboard",
        "noise": "brown_noise",
    }
)
"""Values of the control `ambience`, which plays one of them at a time."""

SETTINGS: Final[Mapping[Aspect, str]] = MappingProxyType({"style": "style"})
"""Settings of a station for aspects that no control sets; they can only change when it starts."""

SPELLINGS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"drum_kit": {"808": "analog"}})
"""Values that a control spells differently, by control."""

ENHARMONICS: Final[Mapping[str, str]] = MappingProxyType(
    {"C#": "Db", "Db": "C#", "D#": "Eb", "Eb": "D#", "F#": "Gb", "Gb": "F#", "G#": "Ab", "Ab": "G#", "A#": "Bb",
     "Bb": "A#", "Cb": "B", "Fb": "E", "E#": "F", "B#": "C"}
)  # fmt: skip
"""Other names of the same tonic."""

STEPS: Final = 4
"""Bars over which numbers move to their new values."""
