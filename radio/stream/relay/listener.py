"""One listener of a mount: where its bytes go, and where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from radio.stream.chunk import Chunk
from radio.types import Frames


class TcpProgress(NamedTuple):
    """What a listener's system has taken, and how much more it offers to take, in bytes."""

    acknowledged: int
    window: int


class Sink(Protocol):
    """Where a listener's bytes go: a `Connection`, or a fake in tests."""

    def send(self, data: bytes | memoryview) -> int:
        """Take what there is room for and return how many bytes that was; OSError when the listener is gone."""

    def unacknowledged(self) -> int:
        """How many bytes our system holds that the listener's has not taken yet."""

    def tcp_progress(self) -> TcpProgress | None:
        """How far the listener's system has come, where ours knows."""

    def hung_up(self) -> bool:
        """Whether the listener has closed its side, which a `send` would only notice by failing."""

    def close(self) -> None:
        """Disconnect at once; what our system holds is lost."""


class MetadataInserter(Protocol):
    """Puts into one listener's bytes what is for it alone."""

    def insert(self, chunks: list[Chunk]) -> bytes:
        """The bytes of `chunks`, woven."""


class Listener:
    """One connection, and where it stands."""

    __slots__ = (
        "inserter",
        "moved",
        "next",
        "on_leave",
        "on_start",
        "patient",
        "reach",
        "read",
        "sink",
        "start",
        "turn",
        "waiting",
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
        """The frame it asked for, and once it is being served the one that it got."""
        self.on_start = on_start
        self.on_leave = on_leave
        self.next = -1
        """The number of the chunk that it gets next; none before the first."""
        self.patient = False
        """Whether its burst carries it from one turn to the next."""
        self.turn = -1
        """The tick of every `TURNS` at which it is written to; none while it is written to at every one."""
        self.waiting: bytes | memoryview = b""
        """What is to be sent before the next chunk."""
        self.moved = now
        """When its system last took something."""
        self.reach: TcpProgress | None = None
        """What was known of its system when it was last looked at."""
        self.read = now
        """When it was last seen that what its system takes is read."""
