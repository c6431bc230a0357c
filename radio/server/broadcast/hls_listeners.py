"""Listeners of HLS. They hold no connection, and are counted by the time of their last request."""

from __future__ import annotations

import time
from collections.abc import Callable

from radio.stream.formats.hls import TARGET_DURATION
from radio.types import Seconds

MAX_LISTENERS = 50_000
"""Listeners of a station that are remembered; beyond it, the one whose last request is the oldest is forgotten."""

SEEN_WITHIN: Seconds = 2 * TARGET_DURATION
"""A listener has sent a request within this time: two segments."""


class HlsListeners:
    """A bounded table of listeners and their last requests. `now` returns monotonic seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last_requests: dict[int, float] = {}
        """In the order of time."""

    def add(self, identity: tuple[str, ...]) -> None:
        """Record a request of a listener."""
        key = hash(identity)
        self._last_requests.pop(key, None)
        self._last_requests[key] = self._now()
        if len(self._last_requests) > MAX_LISTENERS:
            del self._last_requests[next(iter(self._last_requests))]

    def __len__(self) -> int:
        oldest = self._now() - SEEN_WITHIN
        while self._last_requests and self._last_requests[first := next(iter(self._last_requests))] < oldest:
            del self._last_requests[first]
        return len(self._last_requests)
