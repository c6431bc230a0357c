"""Listeners of HLS. They hold no connection, and are counted by the time of their last request."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
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
        self._last_requests: OrderedDict[int, tuple[float, str]] = OrderedDict()
        """Time and network of each, in the order of time. The first of a dict is not found in constant time."""
        self._networks: Counter[str] = Counter()

    def add(self, network: str, *identity: str) -> None:
        """Record a request from a network, of the listener with this identity in it."""
        key = hash((network, *identity))
        self._forget(key)
        self._last_requests[key] = self._now(), network
        self._networks[network] += 1
        if len(self._last_requests) > MAX_LISTENERS:
            self._forget(next(iter(self._last_requests)))

    def __len__(self) -> int:
        self._expire()
        return len(self._last_requests)

    @property
    def networks(self) -> int:
        """The number of networks of the listeners. A limit counts these, since a client can choose its identity."""
        self._expire()
        return len(self._networks)

    def _expire(self) -> None:
        oldest = self._now() - SEEN_WITHIN
        while self._last_requests and self._last_requests[first := next(iter(self._last_requests))][0] < oldest:
            self._forget(first)

    def _forget(self, key: int) -> None:
        if (entry := self._last_requests.pop(key, None)) is None:
            return
        _, network = entry
        self._networks[network] -= 1
        if not self._networks[network]:
            del self._networks[network]
