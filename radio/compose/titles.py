"""Titles of tracks."""

from __future__ import annotations

from random import Random
from typing import Final

_FIRST: Final = (
    "Amber", "Borrowed", "Distant", "Faded", "Folded", "Half-lit", "Hollow", "Idle", "Late", "Lantern", "Lowered",
    "Milky", "Mossy", "Muted", "Paper", "Quiet", "Rainy", "Rusted", "Second", "Sleepy", "Slow", "Soft", "Spare",
    "Sunday", "Tender", "Threadbare", "Unsent", "Velvet", "Warm", "Window",
)  # fmt: skip
_SECOND: Final = (
    "Afternoon", "Avenue", "Balcony", "Bus Stop", "Corner", "Cup", "Drizzle", "Elevator", "Evening", "Garden",
    "Harbour", "Hours", "Kettle", "Letters", "Light", "Moths", "Notebook", "Orchard", "Platform", "Postcard", "Rooftop",
    "Room", "Shelves", "Steps", "Stairwell", "Tape", "Tea", "Tram", "Umbrella", "Weather",
)  # fmt: skip


def draw_title(random: Random) -> str:
    """Draw a title of two words."""
    return f"{random.choice(_FIRST)} {random.choice(_SECOND)}"
