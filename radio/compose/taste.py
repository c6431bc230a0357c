"""The taste of a station's listeners: likes and dislikes shift the probabilities from which tracks are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")

_STEP: Final = 0.5
"""Change of a weight's power of two with each like or dislike."""

_MOST: Final = 2.0
"""Largest power: a weight is at most multiplied or divided by four."""

_TEMPO_STEP: Final = 0.25
"""Share of the distance to a liked track's tempo by which tempos move."""


@dataclass(frozen=True, slots=True)
class Taste:
    """Preferences that follow from likes and dislikes of tracks.

    powers: by feature, such as `texture pad`; the feature's weight is two to this power. tempo: added to the tempos of
    tracks, in BPM.
    """

    powers: Mapping[str, float] = field(default_factory=dict)
    tempo: float = 0.0

    def with_opinion(self, features: Sequence[str], tempo: float, opinion: int, *, limit: float) -> Taste:
        """Return the taste after a like (1) or a dislike (-1) of a track.

        Args:
            features: The features of the track.
            tempo: Its offset from the requested tempo, in BPM.
            opinion: 1 or -1.
            limit: Largest shift of the tempo, in BPM.
        """
        powers = dict(self.powers)
        for feature in features:
            powers[feature] = min(max(powers.get(feature, 0.0) + _STEP * opinion, -_MOST), _MOST)
        shift = self.tempo + opinion * _TEMPO_STEP * (tempo - self.tempo)
        return Taste(powers, min(max(shift, -limit), limit))

    def weight(self, feature: str) -> float:
        """Return the factor of a feature's probability, before normalization: 1/4 to 4."""
        return float(2.0 ** self.powers.get(feature, 0.0))

    def choose(self, random: Random, kind: str, choices: Sequence[T], shares: Sequence[float] | None = None) -> T:
        """Draw one of the choices, weighted by `shares` and by the taste for the feature `{kind} {choice}`."""
        weights = [self.weight(f"{kind} {choice}") for choice in choices]
        if shares is not None:
            weights = [weight * share for weight, share in zip(weights, shares, strict=True)]
        return random.choices(choices, weights)[0]


NEUTRAL: Final = Taste()
"""The taste before the first opinion, and after a reset."""
