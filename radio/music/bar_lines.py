"""Bars of four beats in a MIDI file, derived from its time signatures."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise

from radio.music.midi_score import FileNote, Score
from radio.types import BEATS_PER_BAR


@dataclass(frozen=True, slots=True)
class BarSpan:
    """A bar of a file, from tick `start` to `end`; `whole` if it has four beats."""

    start: int
    end: int
    whole: bool


class BarLines:
    """The bars of a file.

    Two bars of 2/4 count as one bar of four beats, and one bar of 4/2 counts as two. A beat of 6/8 and 12/8 is three
    eighths. Bars of other meters, and bars that the next time signature cuts short, such as a pickup, are not whole.

    Args:
        score: The file.
        end: Tick up to which bars are needed.
    """

    def __init__(self, score: Score, end: int) -> None:
        self.bars: list[BarSpan] = []
        changes = {0: (BEATS_PER_BAR, 4)} | {tick: (above, below) for tick, above, below in score.time_signatures}
        for first, last in pairwise([*sorted(tick for tick in changes if tick < end), max(end, 1)]):
            self.bars += _region(first, last, _unit(*changes[first], score.ppq), cut=last < end)
        self._starts = [bar.start for bar in self.bars]
        self._places = [0, *accumulate(bar.whole for bar in self.bars)]
        """Number of whole bars before each bar."""

    def bar_at(self, tick: int) -> int:
        """Return the number of the bar, from 0, that contains `tick`; the last one for later ticks."""
        return bisect_right(self._starts, tick) - 1

    def place(self, notes: Iterable[FileNote]) -> list[tuple[float, float, FileNote]]:
        """Return the notes that start in whole bars, each with its start and end in beats, counting only whole bars.

        A note that would sound into a bar that is not whole ends before it.
        """
        placed = []
        for note in notes:
            number = self.bar_at(note.start)
            if self.bars[number].whole:
                last = self._last(number, note.end)
                end = min(note.end, self.bars[last].end)
                placed.append((self._beat(number, note.start), self._beat(last, end), note))
        return placed

    def _last(self, number: int, end: int) -> int:
        """Return the bar in which a note of bar `number` ends, or the last whole bar before a bar that is not whole."""
        last = self.bar_at(end - 1)
        while self._places[last] - self._places[number] != last - number or not self.bars[last].whole:
            last -= 1
        return last

    def _beat(self, number: int, tick: int) -> float:
        """Return the beats in whole bars before `tick`, which is in the whole bar `number` or at its end."""
        bar = self.bars[number]
        return BEATS_PER_BAR * (self._places[number] + (tick - bar.start) / (bar.end - bar.start))


def meters(score: Score) -> str:
    """Return the meters of a file in words, such as `3/4 and 4/4`."""
    names = dict.fromkeys(f"{above}/{below}" for _, above, below in score.time_signatures) or {"4/4": None}
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _unit(above: int, below: int, ppq: int) -> tuple[Fraction, bool]:
    """Return the ticks that count as one bar of a meter, and whether that bar has four beats."""
    length = Fraction(4 * ppq * above, below)
    beats = Fraction(above, 3) if below >= 8 and above % 3 == 0 and above > 3 else Fraction(4 * above, below)
    if BEATS_PER_BAR % beats == 0 or beats % BEATS_PER_BAR == 0:
        return length * BEATS_PER_BAR / beats, True
    return length, False


def _region(first: int, last: int, unit: tuple[Fraction, bool], *, cut: bool) -> Sequence[BarSpan]:
    """Return the bars from tick `first` to `last`; if the region is cut, the last bar ends at `last`."""
    length, whole = unit
    count = -((first - last) // length)
    edges = [first + round(length * place) for place in range(count + 1)]
    bars = [BarSpan(start, end, whole) for start, end in pairwise(edges)]
    if cut and bars and bars[-1].end > last:
        bars[-1] = BarSpan(bars[-1].start, last, whole=False)
    return bars
