"""The memory of a station: its best phrases, which return varied hours later, and the phrases played within a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Final

from radio.compose.phrase import Phrase
from radio.compose.wish import Wish
from radio.music.chord_loops import Loop
from radio.types import Mode, MoodChoice, TextureKind

SIZE: Final = 64
"""Number of remembered tracks."""

APART: Final = 60
"""Fewest tracks from one use of a phrase to the next: about two hours."""

_RETURNS: Final = 3
"""Most times that a phrase returns."""

_SHARE: Final = 0.15
"""Share of tracks over a recalled phrase, if one is due."""

_LIKED: Final = 4.0
"""Reduction of a phrase's cost in the memory for each like."""

_FADING: Final = 1 / 300
"""Increase of a phrase's cost in the memory for each track since it was played."""

_DAY: Final = 1_500
"""Most tracks in a day: none is shorter than a minute."""


@dataclass(frozen=True, slots=True)
class Memento:
    """A phrase, its harmony and its motif, remembered from one track and transposed to C major or A minor.

    number: number of the last track with the phrase. mood, mode, sections: its harmony. keys: phrase A of the keys.
    motif: the line from which its lead was made; None for a track without a lead. texture: texture of the keys. cost:
    cost of the phrase; 0 is perfect. returns: number of times it was recalled. likes: likes minus dislikes.
    """

    number: int
    mood: MoodChoice
    mode: Mode | None
    sections: Mapping[str, Loop]
    keys: Phrase
    motif: Phrase | None
    texture: TextureKind
    cost: float
    returns: int = 0
    likes: int = 0

    def suits(self, wish: Wish) -> bool:
        """Return True if the harmony has the mood and the mode of a wish."""
        return self.mood == wish.mood and wish.mode in ("any", self.mode)


@dataclass(frozen=True, slots=True)
class Memory:
    """The best phrases, and fingerprints of all phrases heard within a day, latest last."""

    mementos: tuple[Memento, ...] = ()
    played: tuple[int, ...] = ()

    def with_track(self, memento: Memento, *, recalled: Memento | None = None) -> Memory:
        """Return the memory after a track.

        Args:
            memento: The track's memento.
            recalled: The memento that the track recalled, which the new one replaces.
        """
        rest = [other for other in self.mementos if recalled is None or other.keys != recalled.keys]
        if recalled is not None:
            memento = replace(memento, returns=recalled.returns + 1, likes=recalled.likes)
        best = sorted([*rest, memento], key=lambda one: one.cost - _LIKED * one.likes - _FADING * one.number)[:SIZE]
        played = (*self.played, fingerprint(memento.keys))[-_DAY:]
        return Memory(tuple(sorted(best, key=lambda one: one.number)), played)

    def with_opinion(self, number: int, opinion: int) -> Memory:
        """Return the memory after track `number` was liked (1) or disliked (-1); disliked phrases are forgotten."""
        mementos = (
            replace(memento, likes=memento.likes + opinion) if memento.number == number else memento
            for memento in self.mementos
        )
        return replace(self, mementos=tuple(memento for memento in mementos if memento.likes >= 0))

    def draw(self, random: Random, number: int, wish: Wish) -> Memento | None:
        """Draw a phrase to recall in track `number`; None for most tracks. Liked phrases are more likely."""
        due = [
            memento
            for memento in self.mementos
            if memento.number + APART <= number and memento.returns < _RETURNS and memento.suits(wish)
        ]
        if random.random() >= _SHARE or not due:
            return None
        return random.choices(due, [2.0 ** (memento.likes - memento.cost) for memento in due])[0]


EMPTY: Final = Memory()
"""The memory before the first track."""


def fingerprint(phrase: Phrase) -> int:
    """Return a 64-bit hash of a phrase's onsets and pitches that is the same in every key."""
    lowest = min((note.note for note in phrase.notes), default=0)
    figure = [(note.start, note.note - lowest) for note in phrase.notes]
    return int.from_bytes(blake2b(repr((phrase.bars, figure)).encode(), digest_size=8).digest())
