"""A station's live edge: the one clock that all its mounts let their audio out by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from radio.types import SAMPLE_RATE, Frames, Seconds


@dataclass(slots=True)
class LiveEdge:
    """Follows the wall clock through what has been rendered; plain calls, no clock but `now`, in monotonic seconds.

    Where the station comes too late the edge waits for it, and goes on from there: catching up would drain the reserve
    again and again, while being late once is inaudible behind a burst.
    """

    now: Callable[[], float]
    live: Frames = 0
    """Audio before this frame has been let out; never goes back."""
    end: Frames = 0
    """Audio before this frame is rendered."""
    underruns: int = 0
    """How often the station came too late."""
    total_delay: Seconds = 0.0
    """By how much in all: the sum of the edge's shifts against the wall clock."""
    _epoch: float | None = None

    @property
    def on_air(self) -> bool:
        """Whether there has been any audio."""
        return self._epoch is not None

    @property
    def reserve(self) -> Seconds:
        """Seconds of audio that wait beyond the live edge."""
        return max(0, self.end - self.live) / SAMPLE_RATE

    def extend(self, end: Frames) -> None:
        """Take note that the audio before frame `end` is rendered."""
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
        """The audio from frame `end` on is lost with the worker that had it; another will be rendered in its place."""
        self.end = end

    def advance(self) -> Frames:
        """Move on with the wall clock, as far as there is audio; the frame that has been reached."""
        if self._epoch is not None:
            due = int((self.now() - self._epoch) * SAMPLE_RATE)
            self.live = max(self.live, min(due, self.end))
        return self.live
