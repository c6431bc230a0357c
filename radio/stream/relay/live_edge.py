"""A station's live edge: the clock by which all its mounts release audio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from radio.types import SAMPLE_RATE, Frames, Seconds


@dataclass(slots=True)
class LiveEdge:
    """A position in the rendered audio that advances with the wall clock.

    If rendering is late, the edge waits and then continues at normal speed. Catching up would drain the reserve again
    and again, whereas a single delay is inaudible behind a listener's burst.
    """

    now: Callable[[], float]
    """Returns monotonic seconds."""
    live: Frames = 0
    """Audio before this frame is released; it never decreases."""
    end: Frames = 0
    """Audio before this frame is rendered."""
    underruns: int = 0
    """The number of times that rendering was late."""
    total_delay: Seconds = 0.0
    """The sum of the edge's delays against the wall clock."""
    _epoch: float | None = None

    @property
    def on_air(self) -> bool:
        """True once there is audio."""
        return self._epoch is not None

    @property
    def reserve(self) -> Seconds:
        """The amount of audio that is rendered but not released."""
        return max(0, self.end - self.live) / SAMPLE_RATE

    def extend(self, end: Frames) -> None:
        """Mark the audio before frame `end` as rendered."""
        if end <= self.end:
            return
        if self._epoch is None:
            self._epoch = self.now() - self.end / SAMPLE_RATE
        elif (late := self.now() - self._epoch - self.end / SAMPLE_RATE) > 0:
            self._epoch += late
            self.underruns += 1
            self.total_delay += late
        self.end = end

    def rewind(self, end: Frames) -> None:
        """Mark the audio from frame `end` on as lost with its worker; other audio will replace it."""
        self.end = end

    def advance(self) -> Frames:
        """Advance to the wall clock's position, as far as audio is rendered, and return the live frame."""
        if self._epoch is not None:
            due = int((self.now() - self._epoch) * SAMPLE_RATE)
            self.live = max(self.live, min(due, self.end))
        return self.live
