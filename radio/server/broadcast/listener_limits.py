"""Limits on the number of listeners, per station and per client address. There are none by default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from radio.server.broadcast.channel import Channel
from radio.server.http.client_address import network
from radio.server.http.problems import ProblemError
from radio.types import Format, Seconds


@dataclass(slots=True)
class Limits:
    """The limits, and the number of listeners at each address; with IPv6, in each /64 network.

    Args:
        per_station: Maximum number of listeners of a station, in all formats; None for no limit.
        per_address: Maximum number of streams to an address, from all stations; None for no limit.
    """

    per_station: int | None = None
    per_address: int | None = None
    _addresses: Counter[str] = field(default_factory=Counter)

    def admit(self, channel: Channel, address: str) -> Callable[[], None] | None:
        """Admit a listener, and return a function to call when it leaves, or None if none is needed.

        Raises:
            ProblemError: 503 if a limit is reached.
        """
        if self.per_station is not None and (count := channel.limited_listeners) >= self.per_station:
            raise _full(f"{channel.settings.title} has {count} listeners, which is its limit")
        if self.per_address is None:
            return None
        address = network(address)
        if self._addresses[address] >= self.per_address:
            raise _full(f"your address has {self.per_address} streams, which is its limit")
        self._addresses[address] += 1

        def leave() -> None:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

        return leave


BURST: web.AppKey[dict[Format, Seconds]] = web.AppKey("burst")
"""The burst of each format if the listener does not request another."""
LIMITS: web.AppKey[Limits] = web.AppKey("limits", Limits)


def _full(message: str) -> ProblemError:
    return ProblemError(503, "full", f"{message}; try again in a minute", retry_after=60)
