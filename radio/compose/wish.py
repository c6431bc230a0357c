"""The harmony that listeners request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radio.types import ModeChoice, MoodChoice


@dataclass(frozen=True, slots=True)
class Wish:
    """The controls of the harmony, which take effect at the next chord loop; `any` leaves the choice to the station.

    key: the tonic, such as `Eb`.
    """

    mood: MoodChoice = "any"
    key: str = "any"
    mode: ModeChoice = "any"


ANY: Final = Wish()
"""The wish that leaves everything to the station."""
