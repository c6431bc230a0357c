"""Limits on what each client may use in a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from radio.server.http.client_address import network
from radio.types import Seconds

_MAX_CLIENTS: Final = 4_096
"""Clients that are remembered; the one that spent nothing for longest is forgotten first."""


class Allowance:
    """An amount that each client may spend at once, and that grows back with time (a token bucket).

    Args:
        amount: Most that a client can have.
        period: Time in which it grows back from nothing.
        now: Returns monotonic seconds.
    """

    def __init__(self, amount: float, period: Seconds, now: Callable[[], float] = time.monotonic) -> None:
        self.amount = amount
        self._rate = amount / period
        self._now = now
        self._spent: dict[str, tuple[float, float]] = {}
        """For each client, the amount that it owes and the time of that; the latest spender is last."""

    def wait(self, address: str, cost: float) -> Seconds:
        """Return the time after which a client can spend `cost`; 0 if it can now."""
        return max(0.0, (self._owed(network(address)) + min(cost, self.amount) - self.amount) / self._rate)

    def spend(self, address: str, cost: float) -> None:
        """Take `cost` from what a client has, and leave nothing if it has less."""
        client = network(address)
        owed = min(self._owed(client) + cost, self.amount)
        self._spent.pop(client, None)
        self._spent[client] = (owed, self._now())
        if len(self._spent) > _MAX_CLIENTS:
            del self._spent[next(iter(self._spent))]

    def _owed(self, client: str) -> float:
        spent, at = self._spent.get(client, (0.0, 0.0))
        return max(0.0, spent - (self._now() - at) * self._rate)
