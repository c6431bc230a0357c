"""Listeners who hold no connection: those of HLS come every few seconds, and are counted by when they came last."""

from __future__ import annotations

import time
from collections.abc import Callable

from radio.stream.formats.hls import TARGET_DURATION
from radio.types import Seconds

MAX_LISTENERS = 50_000
"""Listeners of a station that are told apart; of more, the one not seen for longest is forgotten."""

SEEN_WITHIN: Seconds = 2 * TARGET_DURATION
"""A listener is one who was seen within this long: two segments."""


class HlsListeners:
    """Who was here lately: a bounded table. `now` gives monotonic seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[int, float] = {}
        """When each was last seen; the order is that of time."""

    def add(self, who: tuple[str, ...]) -> None:
        """Take note of a listener."""
        key = hash(who)
        self._seen.pop(key, None)
        self._seen[key] = self._now()
        if len(self._seen) > MAX_LISTENERS:
            del self._seen[next(iter(self._seen))]

    def __len__(self) -> int:
        """How many listeners there are."""
        oldest = self._now() - SEEN_WITHIN
        while self._seen and self._seen[first := next(iter(self._seen))] < oldest:
            del self._seen[first]
        return len(self._seen)
