"""The parts that models play: range, grid and density levels, the same in preparation and on air."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from radio.types import Tick


@dataclass(frozen=True, slots=True)
class Part:
    """What bounds one part.

    low, high: lowest and highest note (inclusive). offs: whether notes are released by tokens. onset_grid,
    release_grid: ticks that onsets and releases are rounded to; the human part that this loses is given back by the
    host's feel. density_edges: the most strikes a bar of level 0–6 may hold; level 7 is busier than the last.
    """

    name: str
    low: int
    high: int
    offs: bool
    onset_grid: Tick
    release_grid: Tick
    density_edges: tuple[int, ...]

    def density(self, strikes: int) -> int:
        """Level 0–7 of a bar in which notes are struck `strikes` times; level 0 is an empty bar."""
        return bisect_left(self.density_edges, strikes)

    def fold(self, note: int) -> int:
        """The note moved by octaves into the part's range."""
        while note < self.low:
            note += 12
        while note > self.high:
            note -= 12
        return note


PIANO: Final = Part("piano", 36, 96, True, 5, 15, (0, 4, 7, 9, 12, 15, 20))
DRUMS: Final = Part("drums", 35, 59, False, 5, 5, (0, 5, 8, 11, 14, 18, 24))
PARTS: Final = {part.name: part for part in (PIANO, DRUMS)}
