"""What is on: the last track and bar that a listener at the live edge has heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from radio.types import JsonValue, StationEvent


@dataclass(slots=True)
class Now:
    """Built from events in the order in which they air."""

    track: dict[str, JsonValue] | None = None
    bar: dict[str, JsonValue] | None = None

    def aired(self, event: StationEvent, at: float) -> None:
        """Take an event that the live edge has reached; `at` is the wall clock's time, in seconds since 1970."""
        stamped: dict[str, JsonValue] = {**event.data, "frame": event.frame}
        if event.kind == "track":
            since = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
            self.track = {**stamped, "since": since}
        elif event.kind == "bar":
            self.bar = stamped

    def as_json(self) -> dict[str, JsonValue]:
        """`title` and `since` of the track, `number` and `chord` of the bar, each with all else that is known."""
        return {"track": self.track, "bar": self.bar}
