"""Moods of progressions: words mapped to the moods of stations, and a guess for progressions without words.

The guess is naive Bayes over the mode and the chords that occur (root and family, in C major or A minor). It is trained
on the written progressions, with counts smoothed toward the overall frequency of each feature. All moods have the same
prior, so that those with few examples are learned too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Final

from radio.errors import SettingsError
from radio.music.chords import Chord
from radio.types import MOODS
from train.data.arrange.enrichment import FAMILY

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "calm": "Relaxed Peaceful Tender Spiritual",
        "warm": "Romantic Tender Joyful Playful Excited",
        "hopeful": "Hopeful Triumphant Empowered Joyful",
        "nostalgic": "Nostalgic",
        "sad": "Sad Lonely Anguished",
        "dark": "Dark Fearful Rebellious Dramatic",
        "dreamy": "Mysterious Surprised Spiritual",
    }
)
"""The words of each mood in `progressions.json`."""

UNSAID: Final = frozenset({"Cadence"})
"""Words that are not moods."""

STRENGTH: Final = 5.0
"""The weight of the smoothing, in examples. In leave-one-out tests, the progressions' moods cost 2.16 bits, and 2.53
bits if only the shares of the moods are known."""

Feature = tuple[object, ...]


def moods_of(words: Sequence[str]) -> tuple[str, ...]:
    """Return the moods of `words`, in the vocabulary's order. Raises SettingsError for an unknown word."""
    known = {word for words_of_mood in WORDS.values() for word in words_of_mood.split()}
    for word in words:
        if word not in known | UNSAID:
            raise SettingsError(f"unknown mood word '{word}'; the known ones are {', '.join(sorted(known))}")
    return tuple(mood for mood in MOODS if set(WORDS[mood].split()) & set(words))


def features(mode: str, chords: Iterable[Chord]) -> frozenset[Feature]:
    """Return the features of the guess: the mode, and each chord once."""
    return frozenset({("mode", mode), *(("chord", chord.root, FAMILY[chord.quality]) for chord in chords)})


class MoodGuess:
    """A naive Bayes classifier of moods, trained on examples of (features, moods)."""

    def __init__(self, examples: Sequence[tuple[frozenset[Feature], Sequence[str]]]) -> None:
        self._known: Counter[Feature] = Counter()
        self._of_mood: dict[str, Counter[Feature]] = {mood: Counter() for mood in MOODS}
        self._examples: Counter[str] = Counter()
        self._total = len(examples)
        for example, moods in examples:
            self._known.update(example)
            for mood in moods:
                self._of_mood[mood].update(example)
                self._examples[mood] += 1

    def shares(self, example: frozenset[Feature]) -> dict[str, float]:
        """Return the probability of each mood."""
        scores = {}
        for mood, counts in self._of_mood.items():
            scores[mood] = sum(
                math.log((counts[feature] / usual + STRENGTH) / (self._examples[mood] + STRENGTH))
                for feature in example
                if (usual := (self._known[feature] + 0.2) / (self._total + 1))
            )
        highest = max(scores.values())
        weights = {mood: math.exp(score - highest) for mood, score in scores.items()}
        return {mood: weight / sum(weights.values()) for mood, weight in weights.items()}

    def draw(self, example: frozenset[Feature], random: Random) -> str:
        """Draw a mood by its probability."""
        shares = self.shares(example)
        return random.choices(list(shares), list(shares.values()))[0]
