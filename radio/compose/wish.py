"""The wish of listeners for a harmony."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radio.types import ModeChoice, MoodChoice


@dataclass(frozen=True, slots=True)
class Wish:
    """Controls of the harmony, which wait for the next chord loop; `any` leaves the choice to the station.

    key: the tonic, such as `Eb`.
    """

    mood: MoodChoice = "any"
    key: str = "any"
    mode: ModeChoice = "any"


ANY: Final = Wish()
"""All is left to the station."""
