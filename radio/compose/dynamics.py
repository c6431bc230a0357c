"""Levels: the models' slow drift in velocity is taken out, their accents are kept.

A model's loudness wanders from track to track as its training pieces differ, and layers fall out of balance. Here each
strike is set against the running mean of its kind (keys, kick, snare, hats, the rest) and moved to where that kind
belongs in the mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from radio.music.events import NoteEvent


@dataclass(frozen=True, slots=True)
class Level:
    """usual: the mean velocity of a kind in the training data, where the running mean starts. target: where it goes.

    accent: how much of a strike's difference from the mean is kept.
    """

    usual: float
    target: float
    accent: float = 0.7


LEVELS: Final = {
    "keys": Level(71, 71, accent=1.0),
    "kick": Level(70, 82),
    "snare": Level(65, 76),
    "hats": Level(60, 54),
    "rest": Level(70, 60),
}
_KINDS: Final = {
    **dict.fromkeys((35, 36), "kick"),
    **dict.fromkeys((37, 38, 39, 40), "snare"),
    **dict.fromkeys((42, 44, 46), "hats"),
}
_RATE: Final = 1 / 48
"""How far one strike moves its kind's mean: memory of about four bars."""

_SOFTEST, _LOUDEST = 10, 112


class Dynamics:
    """Levels the events of one layer (`keys` or `drums`). Its memory is one mean per kind."""

    def __init__(self, layer: str) -> None:
        self._layer = layer
        self._means = {kind: level.usual for kind, level in LEVELS.items()}

    def level(self, events: Sequence[NoteEvent]) -> list[NoteEvent]:
        """The same events with strikes (velocity 1–127) moved to their kind's level, 10–112."""
        return [self._levelled(event) if event.velocity else event for event in events]

    def _levelled(self, event: NoteEvent) -> NoteEvent:
        kind = _KINDS.get(event.note, "rest") if self._layer == "drums" else self._layer
        difference = event.velocity - self._means[kind]
        self._means[kind] += _RATE * difference
        velocity = round(LEVELS[kind].target + LEVELS[kind].accent * difference)
        return NoteEvent(event.tick, event.note, min(max(velocity, _SOFTEST), _LOUDEST))

    def save(self) -> dict[str, float]:
        return dict(self._means)

    def restore(self, saved: dict[str, float]) -> None:
        self._means = dict(saved)
