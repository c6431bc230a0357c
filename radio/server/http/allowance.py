"""Rate limits for each client."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from radio.server.http.client_address import network
from radio.types import Seconds

_MAX_CLIENTS: Final = 4_096
"""Clients remembered. The one whose last spending is the oldest is forgotten first."""


class Allowance:
    """A token bucket for each client: an amount that it may spend, and that refills over time.

    Args:
        amount: Maximum that a client can spend at once.
        period: Time in which an empty bucket refills.
        now: Returns monotonic seconds.
    """

    def __init__(self, amount: float, period: Seconds, now: Callable[[], float] = time.monotonic) -> None:
        self.amount = amount
        self._rate = amount / period
        self._now = now
        self._spent: dict[str, tuple[float, float]] = {}
        """The amount that each client owed, and the time when it did; the latest spender is last."""

    def wait(self, address: str, cost: float) -> Seconds:
        """Return the time after which a client can spend `cost`; 0 if it can now."""
        return max(0.0, (self._owed(network(address)) + min(cost, self.amount) - self.amount) / self._rate)

    def spend(self, address: str, cost: float) -> None:
        """Take `cost` from a client's amount, or all of it if that is less."""
        client = network(address)
        owed = min(self._owed(client) + cost, self.amount)
        self._spent.pop(client, None)
        self._spent[client] = (owed, self._now())
        if len(self._spent) > _MAX_CLIENTS:
            del self._spent[next(iter(self._spent))]

    def _owed(self, client: str) -> float:
        spent, at = self._spent.get(client, (0.0, 0.0))
        return max(0.0, spent - (self._now() - at) * self._rate)
