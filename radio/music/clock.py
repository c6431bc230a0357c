"""Ticks ↔ samples in integer arithmetic: one clock for every layer, so nothing ever drifts."""

from __future__ import annotations

from dataclasses import dataclass

from radio.types import GRID, SAMPLE_RATE, TICKS_PER_BEAT, Frames, Tick

_SCALE = 60 * SAMPLE_RATE * 1000 // TICKS_PER_BEAT
"""Frames per tick at a tempo of one thousandth of a beat a minute."""


def to_grid(frame: Frames) -> Frames:
    """The nearest multiple of `GRID`, not before 0."""
    return max(0, (frame + GRID // 2) // GRID * GRID)


@dataclass(frozen=True, slots=True)
class _Segment:
    tick: Tick
    frame: Frames
    millibpm: int


class Clock:
    """A tempo map that only grows. Each tempo holds from its tick on; within it no error accumulates.

    Tempo is kept in thousandths of a beat a minute, so that positions are exact integers, rounded once.
    """

    def __init__(self, tempo: float, *, tick: Tick = 0, frame: Frames = 0) -> None:
        self._segments = [_Segment(tick, frame, _millibpm(tempo))]

    @property
    def tempo(self) -> float:
        """The latest tempo in beats a minute."""
        return self._segments[-1].millibpm / 1000

    def set_tempo(self, tick: Tick, tempo: float) -> None:
        """From `tick` on, play at `tempo`. Raises ValueError for a tick before the latest change."""
        last = self._segments[-1]
        if tick < last.tick:
            raise ValueError(f"tempo at tick {tick} comes after a change at tick {last.tick}")
        if _millibpm(tempo) == last.millibpm:
            return
        segment = _Segment(tick, self.frame(tick), _millibpm(tempo))
        if tick == last.tick:
            self._segments[-1] = segment
        else:
            self._segments.append(segment)

    def frame(self, tick: Tick) -> Frames:
        """The sample nearest to `tick`. A tick before the map's start is reckoned with its first tempo."""
        segment = self._segments[0]
        for later in self._segments[1:]:
            if later.tick > tick:
                break
            segment = later
        # Round half up without leaving the integers.
        twice = 2 * (tick - segment.tick) * _SCALE + segment.millibpm
        return segment.frame + twice // (2 * segment.millibpm)

    def forget(self, tick: Tick) -> None:
        """Drop what only ticks before `tick` need, so that the map stays small for ever."""
        while len(self._segments) > 1 and self._segments[1].tick <= tick:
            del self._segments[0]


def _millibpm(tempo: float) -> int:
    if not 1 <= tempo <= 1000:
        raise ValueError(f"a tempo of {tempo} beats a minute: 1 to 1000 can be played")
    return round(tempo * 1000)
