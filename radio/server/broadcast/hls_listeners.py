"""HLS listeners. They keep no connection open, so they are counted by the time of their last request."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable

from radio.stream.formats.hls import TARGET_DURATION
from radio.types import Seconds

MAX_LISTENERS = 50_000
"""Listeners remembered per station. Beyond this, the one with the oldest last request is forgotten."""

SEEN_WITHIN: Seconds = 2 * TARGET_DURATION
"""Time after its last request for which a listener counts: two segments."""


class HlsListeners:
    """A bounded table of listeners and their last requests. `now` returns monotonic seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last_requests: OrderedDict[int, tuple[float, str]] = OrderedDict()
        """Time and network of each, oldest first. Unlike a dict, it finds its first key in constant time."""
        self._networks: Counter[str] = Counter()

    def add(self, network: str, *identity: str) -> None:
        """Record a request of the listener with this identity in a network."""
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
        """The number of networks with listeners. Limits count these, since a client can choose its identity."""
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
