"""The state of a push, for the API and the metrics. It holds no secrets."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from radio.types import JsonValue

State: TypeAlias = Literal["connecting", "connected", "reconnecting", "ended"]


@dataclass(slots=True)
class PushStatus:
    """The state and the counters of a push since it was started."""

    to: str
    """The address, without user or key."""
    state: State = "connecting"
    since: float = field(default_factory=time.time)
    """Time at which the state was entered, in seconds since 1970."""
    attempts: int = 0
    """Connections attempted."""
    connections: int = 0
    """Connections accepted by the server."""
    sent: int = 0
    """Bytes acknowledged by the server, over all connections."""
    error: str | None = None
    """The reason why the last connection ended or could not be made."""

    def set_state(self, state: State) -> None:
        """Enter a state. Entering the current state changes nothing."""
        if state != self.state:
            self.state, self.since = state, time.time()

    def as_json(self) -> dict[str, JsonValue]:
        """Return the fields as the API shows them."""
        return {
            "to": self.to,
            "state": self.state,
            "since": datetime.fromtimestamp(self.since, UTC).isoformat(timespec="milliseconds"),
            "attempts": self.attempts,
            "connections": self.connections,
            "sent": self.sent,
            "error": self.error,
        }
