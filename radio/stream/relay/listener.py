"""One listener of a mount: where its bytes go, and where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from radio.stream.chunk import Chunk
from radio.types import Frames


class Reach(NamedTuple):
    """What a listener's system has taken, and how much more it offers to take, in bytes."""

    acknowledged: int
    window: int


class Sink(Protocol):
    """Where a listener's bytes go: a `Connection`, or a fake in tests."""

    def send(self, data: bytes | memoryview) -> int:
        """Take what there is room for and return how many bytes that was; OSError when the listener is gone."""

    def unacknowledged(self) -> int:
        """How many bytes our system holds that the listener's has not taken yet."""

    def reach(self) -> Reach | None:
        """How far the listener's system has come, where ours knows."""

    def hung_up(self) -> bool:
        """Whether the listener has closed its side, which a `send` would only notice by failing."""

    def close(self) -> None:
        """Disconnect at once; what our system holds is lost."""


class Weaver(Protocol):
    """Puts into one listener's bytes what is for it alone."""

    def weave(self, chunks: list[Chunk]) -> bytes:
        """The bytes of `chunks`, woven."""


class Listener:
    """One connection, and where it stands."""

    __slots__ = (
        "begun",
        "gone",
        "moved",
        "next",
        "patient",
        "reach",
        "read",
        "sink",
        "start",
        "turn",
        "waiting",
        "weaver",
    )

    def __init__(
        self,
        sink: Sink,
        start: Frames,
        now: float,
        *,
        weaver: Weaver | None,
        begun: Callable[[Frames], object] | None,
        gone: Callable[[], object] | None,
    ) -> None:
        self.sink = sink
        self.weaver = weaver
        self.start = start
        """The frame it asked for, and once it is being served the one that it got."""
        self.begun = begun
        self.gone = gone
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
        self.reach: Reach | None = None
        """What was known of its system when it was last looked at."""
        self.read = now
        """When it was last seen that what its system takes is read."""
