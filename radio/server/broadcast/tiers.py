"""The tiers of a station: the kind of sound at the live edge, and the time that each kind was on the air."""

from __future__ import annotations

from collections import deque
from typing import get_args

from radio.station.fallback_plan import Tier
from radio.types import SAMPLE_RATE, Frames, Seconds


class Tiers:
    """The tiers of the released audio, and of the audio rendered ahead."""

    def __init__(self) -> None:
        self.current: Tier = "music"
        self._frames: dict[Tier, Frames] = dict.fromkeys(get_args(Tier), 0)
        self._coming: deque[tuple[Frames, Tier]] = deque()
        self._live: Frames = 0

    @property
    def seconds(self) -> dict[Tier, Seconds]:
        """The time for which each tier was on the air."""
        return {tier: frames / SAMPLE_RATE for tier, frames in self._frames.items()}

    def plan(self, frame: Frames, tier: Tier) -> None:
        """Plan a tier that begins at a frame, in place of earlier plans from there onward."""
        while self._coming and self._coming[-1][0] >= frame:
            self._coming.pop()
        self._coming.append((frame, tier))

    def advance(self, live: Frames) -> bool:
        """Record that the audio before frame `live` is released. Return True if the tier has changed."""
        before = self.current
        while self._coming and self._coming[0][0] <= live:
            frame, tier = self._coming.popleft()
            self._count(frame)
            self.current = tier
        self._count(live)
        return self.current != before

    def _count(self, end: Frames) -> None:
        if end > self._live:
            self._frames[self.current] += end - self._live
            self._live = end
