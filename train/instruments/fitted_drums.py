"""The voices of drums that were fitted to reference hits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from train.instruments.fitting import PARAMETERS, FittedNote, read_parameters
from train.instruments.note import Note, render
from train.instruments.percussion import Voice
from train.instruments.references import Signal


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
            sound = render(self.note(name, softest + velocity * (loudest - softest), variant), 2.5, seed=11 + variant)
            if pitch == 1:
                return sound
            places = np.arange(int(len(sound) / pitch)) * pitch
            return np.asarray(np.interp(places, np.arange(len(sound)), sound))

        return hit

    def note(self, name: str, velocity: float, variant: int) -> Note:
        """Return the parameters of a take of the reference that is nearest in velocity."""
        hits = self._fitted(name)
        nearest = min(abs(hit.velocity - velocity) for hit in hits)
        takes = [hit for hit in hits if abs(hit.velocity - velocity) == nearest]
        return takes[variant % len(takes)].note

    def ringing(self, name: str) -> Callable[[float, int], Note]:
        """Return a drum's parameters by velocity, from 0 to 1, and variant, for a pad that rings on in a loop."""
        return lambda velocity, variant: self.note(name, 1 + 126 * velocity, variant)

    def _fitted(self, name: str) -> list[FittedNote]:
        if name not in self._hits:
            hits = read_parameters(PARAMETERS / f"{name}.json")
            self._hits[name] = [hit for hit in hits if (hit.velocity, hit.take) not in self._held_out]
        return self._hits[name]
