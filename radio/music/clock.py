"""Conversion of ticks to sample frames in integer arithmetic, so that layers never drift apart."""

from __future__ import annotations

from dataclasses import dataclass

from radio.types import GRID, SAMPLE_RATE, TICKS_PER_BEAT, Frames, Tick

_SCALE = 60 * SAMPLE_RATE * 1000 // TICKS_PER_BEAT
"""Frames per tick at a tempo of 0.001 beats per minute."""


def to_grid(frame: Frames) -> Frames:
    """Return the multiple of `GRID` nearest to `frame`, at least 0."""
    return max(0, (frame + GRID // 2) // GRID * GRID)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch at one tempo, in thousandths of a beat per minute, that starts at a tick and its frame."""

    tick: Tick
    frame: Frames
    millibpm: int


class Clock:
    """A tempo map to which later tempo changes are appended.

    Tempos are stored in thousandths of a beat per minute. Positions are computed from the start of each tempo segment
    and rounded once, so errors do not accumulate.
    """

    def __init__(self, tempo: float, *, tick: Tick = 0, frame: Frames = 0) -> None:
        self._segments = [Segment(tick, frame, _millibpm(tempo))]

    @property
    def tempo(self) -> float:
        """The latest tempo in beats per minute."""
        return self._segments[-1].millibpm / 1000

    def set_tempo(self, tick: Tick, tempo: float) -> None:
        """Set the tempo starting at `tick`.

        Raises:
            ValueError: `tick` is before the latest change, or the tempo is out of range.
        """
        last = self._segments[-1]
        if tick < last.tick:
            raise ValueError(f"cannot change the tempo at tick {tick}; the latest change is at tick {last.tick}")
        if _millibpm(tempo) == last.millibpm:
            return
        segment = Segment(tick, self.frame(tick), _millibpm(tempo))
        if tick == last.tick:
            self._segments[-1] = segment
        else:
            self._segments.append(segment)

    def frame(self, tick: Tick) -> Frames:
        """Return the frame nearest to `tick`. The first tempo also applies to ticks before the start of the map."""
        segment = self._segments[0]
        for later in self._segments[1:]:
            if later.tick > tick:
                break
            segment = later
        # Round half up in integers.
        doubled = 2 * (tick - segment.tick) * _SCALE + segment.millibpm
        return segment.frame + doubled // (2 * segment.millibpm)

    def forget(self, tick: Tick) -> None:
        """Drop the segments that end before `tick`, to bound the size of the map."""
        while len(self._segments) > 1 and self._segments[1].tick <= tick:
            del self._segments[0]

    def save(self) -> tuple[Segment, ...]:
        """Return the whole map."""
        return tuple(self._segments)

    def restore(self, saved: tuple[Segment, ...]) -> None:
        """Continue from a saved map of at least one segment."""
        self._segments = list(saved)


def _millibpm(tempo: float) -> int:
    if not 1 <= tempo <= 1000:
        raise ValueError(f"invalid tempo {tempo}; use 1 to 1000 beats per minute")
    return round(tempo * 1000)
