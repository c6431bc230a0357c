"""Titles of tracks: two words each, in a different order for each station."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Final

_FIRST: Final = (
    "Amber", "Borrowed", "Crooked", "Distant", "Dusty", "Faded", "Folded", "Foggy", "Gentle", "Half-lit", "Hollow",
    "Idle", "Lantern", "Late", "Lowered", "Milky", "Mossy", "Muted", "Narrow", "Pale", "Paper", "Patient", "Quiet",
    "Rainy", "Rusted", "Second", "Sleepy", "Slow", "Soft", "Spare", "Sunday", "Tangled", "Tender", "Threadbare",
    "Unsent", "Upstairs", "Velvet", "Warm", "Window", "Woolen",
)  # fmt: skip
_SECOND: Final = (
    "Afternoon", "Almanac", "Avenue", "Balcony", "Blanket", "Bus Stop", "Corner", "Courtyard", "Cup", "Drawer",
    "Drizzle", "Elevator", "Evening", "Ferry", "Garden", "Harbor", "Hours", "Kettle", "Letters", "Light", "Matinee",
    "Moths", "Notebook", "Orchard", "Platform", "Postcard", "Puddle", "Rooftop", "Room", "Shelves", "Sparrow",
    "Stairwell", "Steps", "Tape", "Tea", "Tram", "Umbrella", "Walk", "Weather", "Yard",
)  # fmt: skip

COUNT: Final = len(_FIRST) * len(_SECOND)
"""Number of titles. A track lasts a minute or more, so no title is repeated within a day."""


def title_of(seed: int, number: int) -> str:
    """Return the title of track `number`. Each title occurs once in `COUNT` tracks, each first word once in 40."""
    first, second, turns = _orders(seed)
    turn, place = divmod(number % COUNT, len(first))
    return f"{first[place]} {second[(place + turns[turn]) % len(second)]}"


@lru_cache(maxsize=64)
def _orders(seed: int) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]]:
    """Return both lists of words in the station's order, and the rotations of the second one against the first."""
    random = Random(f"{seed}/titles")
    first = random.sample(_FIRST, len(_FIRST))
    second = random.sample(_SECOND, len(_SECOND))
    return tuple(first), tuple(second), tuple(random.sample(range(len(second)), len(second)))
