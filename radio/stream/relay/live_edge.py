"""A station's live edge: the clock by which all its mounts release audio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from radio.types import BURST_LIMIT, SAMPLE_RATE, Frames, Seconds

CATCH_UP: Final = 0.25
"""Share by which the edge runs faster than the clock while it makes up for a delay."""

CATCH_UP_RESERVE: Final[Seconds] = 1.5
"""With less audio than this in reserve, the edge does not run faster than the clock."""

SILENCE_LIMIT: Final[Seconds] = 2.0
"""A station that has released no audio for this long is off the air."""

READY_AFTER: Final[Seconds] = 5.0
"""Time on the air after which a station counts as ready again."""


@dataclass(slots=True)
class LiveEdge:
    """A position in the rendered audio that advances with the wall clock.

    If rendering is late, the edge waits. It then advances a little faster than the clock until listeners' players hold
    as much audio as before the delay, but only while there is a reserve, which is therefore not drained again.
    """

    now: Callable[[], float]
    """Returns monotonic seconds."""
    live: Frames = 0
    """Audio before this frame is released; it never decreases."""
    end: Frames = 0
    """Audio before this frame is rendered."""
    underruns: int = 0
    """The number of times rendering was late."""
    total_delay: Seconds = 0.0
    """The sum of the edge's delays relative to the wall clock."""
    _epoch: float | None = None
    _owed: Seconds = 0.0
    """Delay still to be made up."""
    _advanced: float = 0.0
    """The time of the last advance."""
    _moved: float = float("-inf")
    """The time at which audio was last released."""
    _moving_since: float = float("-inf")
    """The time at which audio resumed after a silence."""

    @property
    def started(self) -> bool:
        """True once there is audio."""
        return self._epoch is not None

    @property
    def on_air(self) -> bool:
        """True if audio was released in the last `SILENCE_LIMIT`."""
        return self.now() - self._moved < SILENCE_LIMIT

    @property
    def ready(self) -> bool:
        """True if the station is on the air and, after a silence, has been for at least `READY_AFTER`."""
        return self.on_air and self.now() - self._moving_since >= READY_AFTER

    @property
    def dead_air(self) -> Seconds:
        """The total time for which the edge has waited for audio, including the current wait."""
        late = 0.0 if self._epoch is None else self.now() - self._epoch - self.end / SAMPLE_RATE
        return self.total_delay + max(0.0, late)

    @property
    def reserve(self) -> Seconds:
        """The amount of audio that is rendered but not released."""
        return max(0, self.end - self.live) / SAMPLE_RATE

    def extend(self, end: Frames) -> None:
        """Mark the audio before frame `end` as rendered."""
        if end <= self.end:
            return
        if self._epoch is None:
            self._moved = self._advanced = self.now()
            self._epoch = self._moved - self.end / SAMPLE_RATE
        elif (late := self.now() - self._epoch - self.end / SAMPLE_RATE) > 0:
            self._epoch += late
            self.underruns += 1
            self.total_delay += late
            self._owed = min(self._owed + late, BURST_LIMIT)  # making up for more would not lengthen any burst
        self.end = end

    def resume(self, live: Frames, *, delay: Seconds) -> None:
        """Begin at `live`, the live frame of an earlier process `delay` ago, and make up for that delay."""
        self.live = self.end = live
        self._owed = delay

    def release_ahead(self, seconds: Seconds) -> None:
        """Release the next `seconds` immediately, or as much of them as is rendered."""
        if self._epoch is not None:
            self._epoch -= min(seconds, self.reserve)
        self.advance()

    def rewind(self, end: Frames) -> None:
        """Mark the audio from frame `end` onward as lost with its worker; other audio will replace it."""
        self.end = end

    def advance(self) -> Frames:
        """Advance to the wall clock's position, but not beyond the rendered audio, and return the live frame."""
        now, before = self.now(), self.live
        if self._epoch is not None:
            if self.reserve > CATCH_UP_RESERVE:
                gain = min(self._owed, CATCH_UP * (now - self._advanced))
                self._epoch -= gain
                self._owed -= gain
            due = int((now - self._epoch) * SAMPLE_RATE)
            self.live = max(self.live, min(due, self.end))
        self._advanced = now
        if self.live > before:
            if float("-inf") < self._moved < now - SILENCE_LIMIT:
                self._moving_since = now
            self._moved = now
        return self.live
