"""The voices of drums that were fitted to reference hits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from train.instruments.drum_analysis import noise_seed
from train.instruments.fitting import PARAMETERS, FittedNote, read_parameters
from train.instruments.note import Note, render
from train.instruments.percussion import Voice
from train.instruments.references import Signal

_REPEAT: Final = 100
"""Difference of the seeds of two variants of one take."""


class FittedDrums:
    """The voices that were fitted to reference hits.

    Args:
        held_out: the (velocity, take) of hits that are left out.
    """

    def __init__(self, held_out: frozenset[tuple[int, int]] = frozenset()) -> None:
        self._held_out = held_out
        self._hits: dict[str, list[FittedNote]] = {}

    def voice(self, name: str, *, pitch: float = 1.0, softest: int = 1, loudest: int = 127) -> Voice:
        """Return a drum's voice.

        Args:
            name: its file of parameters.
            pitch: factor on the speed at which it plays.
            softest, loudest: the velocities of references that 0 and 1 correspond to.
        """

        def hit(velocity: float, variant: int) -> Signal:
            takes = self._takes(name, softest + velocity * (loudest - softest))
            again, place = divmod(variant, len(takes))
            sound = render(takes[place].note, 2.5, seed=noise_seed(takes[place].take) + _REPEAT * again)
            if pitch == 1:
                return sound
            places = np.arange(int(len(sound) / pitch)) * pitch
            return np.asarray(np.interp(places, np.arange(len(sound)), sound))

        return hit

    def ringing(self, name: str) -> Callable[[float, int], Note]:
        """Return a drum's parameters by velocity, from 0 to 1, and variant, for a pad that rings on in a loop."""

        def note(velocity: float, variant: int) -> Note:
            takes = self._takes(name, 1 + 126 * velocity)
            return takes[variant % len(takes)].note

        return note

    def _takes(self, name: str, velocity: float) -> list[FittedNote]:
        """Return the takes of the reference that is nearest in velocity."""
        hits = self._fitted(name)
        nearest = min(abs(hit.velocity - velocity) for hit in hits)
        return [hit for hit in hits if abs(hit.velocity - velocity) == nearest]

    def _fitted(self, name: str) -> list[FittedNote]:
        if name not in self._hits:
            hits = read_parameters(PARAMETERS / f"{name}.json")
            self._hits[name] = [hit for hit in hits if (hit.velocity, hit.take) not in self._held_out]
        return self._hits[name]
