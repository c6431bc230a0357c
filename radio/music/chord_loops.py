"""Chord loops: harmony by half bars, and the tokens that a chord model writes and reads it as.

A loop is written as in C major or A minor and moved to a key when it is played. As tokens a bar is `<b1>`, then root
and quality where a chord begins; `<b3>`, root and quality follow where another begins on the third beat. A bar line
without a chord means that the one before goes on, so harmonic rhythm is written by what is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from radio.music.chords import Chord, parse
from radio.music.vocab import beat_token
from radio.types import BEATS_PER_BAR, TokenId

HALVES: Final = 2
"""Chords that one bar may have."""

_BEATS_PER_HALF: Final = BEATS_PER_BAR // HALVES
HALF_BEATS: Final = (1, 3)
"""The beats on which chords may begin."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Bars of harmony that come round for ever. halves: the chord of each half bar, two a bar, at least one bar."""

    halves: tuple[Chord, ...]

    @property
    def bars(self) -> int:
        return len(self.halves) // HALVES

    def beats(self, bar: int) -> tuple[Chord, Chord, Chord, Chord]:
        """The chord on each beat of `bar`, counted from the loop's start and round again."""
        first, second = self._halves_of(bar)
        return (first,) * _BEATS_PER_HALF + (second,) * _BEATS_PER_HALF  # type: ignore[return-value]

    def is_held(self, bar: int) -> bool:
        """Whether the first chord of `bar` has sounded since the bar before; a loop of one chord begins each time."""
        return self.halves[bar * HALVES % len(self.halves)] == self.halves[bar * HALVES % len(self.halves) - 1] and (
            len(set(self.halves)) > 1
        )

    def spans(self) -> Iterator[tuple[Chord, int]]:
        """Each chord with its length in beats, from the loop's start to its end."""
        start = 0
        for place in range(1, len(self.halves) + 1):
            if place == len(self.halves) or self.halves[place] != self.halves[start]:
                yield self.halves[start], (place - start) * _BEATS_PER_HALF
                start = place

    def names(self) -> list[str]:
        """A word a bar: `Dm9`, or `Dm9 G7` where the chord changes on the third beat."""
        return [bar_name(*self._halves_of(bar)) for bar in range(self.bars)]

    def transposed(self, semitones: int) -> Loop:
        return Loop(tuple(chord.transposed(semitones) for chord in self.halves))

    def tokens(self) -> list[TokenId]:
        """The loop once through, its first chord said whatever its last one is."""
        tokens: list[TokenId] = []
        for place, chord in enumerate(self.halves):
            number = HALF_BEATS[place % HALVES]
            begins = place == 0 or chord != self.halves[place - 1]
            if number == 1 or begins:
                tokens.append(beat_token(number))
            if begins:
                tokens += chord.tokens
        return tokens

    def _halves_of(self, bar: int) -> tuple[Chord, Chord]:
        place = bar * HALVES % len(self.halves)
        return self.halves[place], self.halves[place + 1]


def parse_loop(bars: Sequence[str]) -> Loop:
    """A loop from its bars in words, as `Loop.names` writes them.

    Raises:
        ValueError: an unknown chord, or more than two in a bar.
    """
    return Loop(tuple(chord for bar in bars for chord in parse_bar(bar)))


def parse_bar(bar: str) -> tuple[Chord, Chord]:
    """The chords of both halves of a bar: `Dm9`, or `Dm9 G7`. Raises ValueError otherwise."""
    names = bar.split()
    if not 1 <= len(names) <= HALVES:
        raise ValueError(f"'{bar}' is not a bar: it has one chord, or two with a space between them")
    return parse(names[0]), parse(names[-1])


def bar_name(first: Chord, second: Chord) -> str:
    """A bar's harmony in words, from the chords of its halves."""
    return str(first) if first == second else f"{first} {second}"
