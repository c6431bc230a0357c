"""How a push is doing, for whoever asks; nothing in it is secret."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from radio.types import JsonValue

State: TypeAlias = Literal["connecting", "connected", "reconnecting", "ended"]


@dataclass(slots=True)
class PushStatus:
    """One push, from its start on."""

    to: str
    """The address, without user or key."""
    state: State = "connecting"
    since: float = field(default_factory=time.time)
    """When the state began, in seconds since 1970."""
    attempts: int = 0
    """Connections that were tried, in all."""
    connections: int = 0
    """Those that the server accepted."""
    sent: int = 0
    """Bytes that the other side has acknowledged, in all."""
    error: str | None = None
    """Why the last connection ended, or could not be made."""

    def turn(self, state: State) -> None:
        """Enter a state; staying in one is no change."""
        if state != self.state:
            self.state, self.since = state, time.time()

    def as_json(self) -> dict[str, JsonValue]:
        """As the API shows it."""
        return {
            "to": self.to,
            "state": self.state,
            "since": datetime.fromtimestamp(self.since, UTC).isoformat(timespec="milliseconds"),
            "attempts": self.attempts,
            "connections": self.connections,
            "sent": self.sent,
            "error": self.error,
        }
