"""How many may listen: to a station, and from one address. Off unless the config says otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from radio.server.broadcast.channel import Channel
from radio.server.http.problems import ProblemError


@dataclass(slots=True)
class Limits:
    """Counts listeners by their address, where there is a limit.

    Args:
        per_station: Listeners of one station, in all formats; none for no limit.
        per_address: Streams to one address, of all stations; none for no limit.
    """

    per_station: int | None = None
    per_address: int | None = None
    _addresses: Counter[str] = field(default_factory=Counter)

    def admit(self, channel: Channel, address: str) -> Callable[[], None] | None:
        """Let one more listen; what is returned, if anything, is to be called when it has left.

        Raises:
            ProblemError: 503, there are as many as may be.
        """
        if self.per_station is not None and channel.listeners >= self.per_station:
            raise _full(f"{channel.settings.title} has {channel.listeners} listeners, as many as it takes")
        if self.per_address is None:
            return None
        if self._addresses[address] >= self.per_address:
            raise _full(f"{self.per_address} streams go to your address, as many as it may have")
        self._addresses[address] += 1

        def left() -> None:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

        return left


def _full(message: str) -> ProblemError:
    return ProblemError(503, "full", f"{message}: try again in a minute", retry_after=60)
