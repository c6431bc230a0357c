"""What a progression feels like: its mood words, sorted into the moods a station knows, or a guess without words.

The guess is naive Bayes over the mode and the chords that occur (root and family, as in C major or A minor), learnt
from the written progressions, with counts smoothed towards how often a feature occurs at all. Moods are held equally
likely beforehand, so that those with few words are learnt too.
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
"""Each mood's words in `progressions.json`."""

UNSAID: Final = frozenset({"Cadence"})
"""Words that say something else than a mood."""

STRENGTH: Final = 5.0
"""Examples' worth of smoothing. Left out one by one, the progressions' moods cost 2.16 bits with it; 2.53 where no more
than their shares are known."""

Feature = tuple[object, ...]


def moods_of(words: Sequence[str]) -> tuple[str, ...]:
    """The moods that `words` stand for, in the vocabulary's order. Raises SettingsError for an unknown word."""
    known = {word for each in WORDS.values() for word in each.split()}
    for word in words:
        if word not in known | UNSAID:
            raise SettingsError(f"'{word}' is a mood that has no place yet; known are {', '.join(sorted(known))}")
    return tuple(mood for mood in MOODS if set(WORDS[mood].split()) & set(words))


def features(mode: str, chords: Iterable[Chord]) -> frozenset[Feature]:
    """What the guess looks at: the mode, and each chord once."""
    return frozenset({("mode", mode), *(("chord", chord.root, FAMILY[chord.quality]) for chord in chords)})


class MoodGuess:
    """Moods by what occurs, from examples of (features, moods)."""

    def __init__(self, examples: Sequence[tuple[frozenset[Feature], Sequence[str]]]) -> None:
        self._known: Counter[Feature] = Counter()
        self._of_mood: dict[str, Counter[Feature]] = {mood: Counter() for mood in MOODS}
        self._examples: Counter[str] = Counter()
        self._total = len(examples)
        for found, moods in examples:
            self._known.update(found)
            for mood in moods:
                self._of_mood[mood].update(found)
                self._examples[mood] += 1

    def shares(self, found: frozenset[Feature]) -> dict[str, float]:
        """The probability of each mood."""
        scores = {}
        for mood, counts in self._of_mood.items():
            scores[mood] = sum(
                math.log((counts[each] / usual + STRENGTH) / (self._examples[mood] + STRENGTH))
                for each in found
                if (usual := (self._known[each] + 0.2) / (self._total + 1))
            )
        highest = max(scores.values())
        weights = {mood: math.exp(score - highest) for mood, score in scores.items()}
        return {mood: weight / sum(weights.values()) for mood, weight in weights.items()}

    def drawn(self, found: frozenset[Feature], random: Random) -> str:
        """A mood, each as often as it is probable."""
        shares = self.shares(found)
        return random.choices(list(shares), list(shares.values()))[0]
