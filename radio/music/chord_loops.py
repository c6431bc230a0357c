"""Chord loops in half bars, and their encoding as tokens of a chord model.

A loop is written in C major or A minor and transposed for playing. A bar is encoded as `<b1>`, followed by root and
quality if a chord starts there; `<b3>`, root and quality follow if another chord starts on beat 3. A `<b1>` without a
chord continues the previous chord.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from radio.music.chords import Chord, parse_chord
from radio.music.vocab import beat_token
from radio.types import BEATS_PER_BAR, TokenId

HALVES: Final = 2
"""Half bars per bar: the most chords that a bar can have."""

_BEATS_PER_HALF: Final = BEATS_PER_BAR // HALVES
HALF_BEATS: Final = (1, 3)
"""The beats on which chords can start."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Bars of harmony that repeat.

    halves: one chord per half bar, two per bar, at least one bar.
    """

    halves: tuple[Chord, ...]

    @property
    def bars(self) -> int:
        return len(self.halves) // HALVES

    def beats(self, bar: int) -> tuple[Chord, Chord, Chord, Chord]:
        """Return the chord on each beat of `bar`, counted from the start of the loop and wrapping around."""
        first, second = self._halves_of(bar)
        return (first,) * _BEATS_PER_HALF + (second,) * _BEATS_PER_HALF  # type: ignore[return-value]

    def is_held(self, bar: int) -> bool:
        """Return True if `bar` starts with the chord that ends the previous bar.

        A loop of a single chord restarts it in each bar, so it returns False.
        """
        return self.halves[bar * HALVES % len(self.halves)] == self.halves[bar * HALVES % len(self.halves) - 1] and (
            len(set(self.halves)) > 1
        )

    def spans(self) -> Iterator[tuple[Chord, int]]:
        """Yield each chord with its length in beats, from the start of the loop to its end."""
        start = 0
        for index in range(1, len(self.halves) + 1):
            if index == len(self.halves) or self.halves[index] != self.halves[start]:
                yield self.halves[start], (index - start) * _BEATS_PER_HALF
                start = index

    def names(self) -> list[str]:
        """Return one name per bar: `Dm9`, or `Dm9 G7` if the chord changes on beat 3."""
        return [bar_name(*self._halves_of(bar)) for bar in range(self.bars)]

    def transposed(self, semitones: int) -> Loop:
        return Loop(tuple(chord.transposed(semitones) for chord in self.halves))

    def tokens(self) -> list[TokenId]:
        """Return the tokens of one pass through the loop. The first chord is written even if it equals the last."""
        tokens: list[TokenId] = []
        for index, chord in enumerate(self.halves):
            number = HALF_BEATS[index % HALVES]
            starts = index == 0 or chord != self.halves[index - 1]
            if number == 1 or starts:
                tokens.append(beat_token(number))
            if starts:
                tokens += chord.tokens
        return tokens

    def _halves_of(self, bar: int) -> tuple[Chord, Chord]:
        index = bar * HALVES % len(self.halves)
        return self.halves[index], self.halves[index + 1]


def parse_loop(bars: Sequence[str]) -> Loop:
    """Parse a loop from the names of its bars, as `Loop.names` returns them.

    Raises:
        ValueError: A chord is unknown, or a bar has more than two chords.
    """
    return Loop(tuple(chord for bar in bars for chord in parse_bar(bar)))


def parse_bar(bar: str) -> tuple[Chord, Chord]:
    """Return the chords of both halves of a bar such as `Dm9` or `Dm9 G7`.

    Raises:
        ValueError: A chord is unknown, or the bar does not have one or two chords.
    """
    names = bar.split()
    if not 1 <= len(names) <= HALVES:
        raise ValueError(f"invalid bar '{bar}'; write one chord, or two separated by a space")
    return parse_chord(names[0]), parse_chord(names[-1])


def bar_name(first: Chord, second: Chord) -> str:
    """Return the name of a bar whose halves have these chords."""
    return str(first) if first == second else f"{first} {second}"
