"""A listener of a mount: its connection and its position in the stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from radio.stream.chunk import Chunk
from radio.types import Frames


class TcpProgress(NamedTuple):
    """The bytes that the listener's system has acknowledged, and its current receive window."""

    acknowledged: int
    window: int


class Sink(Protocol):
    """The destination of a listener's bytes: a `Connection`, or a stand-in for tests."""

    def send(self, data: bytes | memoryview) -> int:
        """Send as much as possible without blocking and return the number of bytes sent.

        Raises:
            BlockingIOError: the buffer is full.
            OSError: the listener has disconnected.
        """

    def unacknowledged(self) -> int:
        """Return the number of sent bytes that the listener's system has not acknowledged."""

    def tcp_progress(self) -> TcpProgress | None:
        """Return the connection's progress, or None if it is unknown."""

    def hung_up(self) -> bool:
        """Return True if the listener has closed its side. Only `send` would notice this otherwise."""

    def finish(self) -> None:
        """Make the next `close` send the buffered data first."""

    def close(self) -> None:
        """Disconnect immediately and discard buffered data."""


class MetadataInserter(Protocol):
    """An inserter of metadata into the stream of one listener."""

    def insert(self, chunks: list[Chunk]) -> bytes:
        """Return the bytes of `chunks` with metadata inserted."""


class Listener:
    """A connection with its position in the stream."""

    __slots__ = (
        "inserter",
        "last_read",
        "last_sent",
        "long_burst",
        "next",
        "on_leave",
        "on_start",
        "pending",
        "plays_until",
        "progress",
        "sent",
        "sink",
        "start",
        "turn",
    )

    def __init__(
        self,
        sink: Sink,
        start: Frames,
        now: float,
        *,
        inserter: MetadataInserter | None,
        on_start: Callable[[Frames], object] | None,
        on_leave: Callable[[], object] | None,
    ) -> None:
        self.sink = sink
        self.inserter = inserter
        self.start = start
        """The requested first frame; after the stream has begun, the actual one."""
        self.on_start = on_start
        self.on_leave = on_leave
        self.next = -1
        """The number of the next chunk; -1 before the first."""
        self.long_burst = False
        """True if the requested burst is long enough to write to the listener only on its turns."""
        self.sent = start
        """The frame up to which audio has been sent."""
        self.plays_until = now
        """The time at which a player that starts immediately will have played all sent audio."""
        self.turn = -1
        """The listener's turn among the `TURNS` ticks of a round; -1 while it is written to on every tick."""
        self.pending: bytes | memoryview = b""
        """Data to send before the next chunk."""
        self.last_sent = now
        """The time at which data was last sent."""
        self.progress: TcpProgress | None = None
        """The progress of the connection at the last check."""
        self.last_read = now
        """The latest time at which the listener was known to be reading."""
