"""Fakes for tests of the relay: a clock, listeners with a given speed, and a station that feeds a mount."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from radio.stream.formats.muxers import open_muxer
from radio.stream.relay.listener import Listener, TcpProgress
from radio.stream.relay.live_edge import LiveEdge
from radio.stream.relay.mount import Mount
from radio.stream.relay.relay import ADVANCE_INTERVAL, TURNS, Relay
from radio.types import SAMPLE_RATE, Frames, Packet
from tests.stream.ogg_reader import check_one_stream

CHUNK = 3_840 / SAMPLE_RATE
TURN = TURNS * ADVANCE_INTERVAL
TCP_CLOSE = 7


@dataclass
class Clock:
    """Monotonic seconds that advance only under the test's control."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Peer:
    """A connection whose peer receives `rate` bytes per second; the local send buffer holds `room` bytes."""

    clock: Clock
    rate: float = float("inf")
    room: int = 65_536
    received: bytearray = field(default_factory=bytearray)
    buffered: bytearray = field(default_factory=bytearray)
    sends: list[tuple[float, bytes]] = field(default_factory=list)
    closed: bool = False
    finished: bool = False
    broken: bool = False
    window: int | None = None
    """Size of the peer's receive buffer in bytes; None if the progress of the connection is unknown."""
    read: int = 0
    """Bytes that the peer's player has read."""
    _since: float | None = None

    def send(self, data: bytes | memoryview) -> int:
        if self.broken:
            raise ConnectionResetError
        assert not self.closed
        self.drain()
        if not (accepted := min(len(data), self.room - len(self.buffered))):
            raise BlockingIOError
        self.sends.append((self.clock(), data if isinstance(data, bytes) else bytes(data)))
        self.buffered += data[:accepted]
        self.drain()
        return accepted

    def drain(self) -> None:
        now = self.clock()
        since = now if self._since is None else self._since
        received = len(self.buffered) if self.rate == float("inf") else int((now - since) * self.rate)
        if received:
            self._since = now
        self._since = self._since or now
        self.received += self.buffered[:received]
        del self.buffered[:received]

    def unacknowledged(self) -> int:
        self.drain()
        return len(self.buffered)

    def tcp_progress(self) -> TcpProgress | None:
        if self.window is None:
            return None
        self.drain()
        return TcpProgress(len(self.received), max(0, self.window - len(self.received) + self.read))

    def hung_up(self) -> bool:
        return self.broken

    def finish(self) -> None:
        self.finished = True

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeStation:
    """A station that feeds a mount like a worker, `ahead` seconds before the live edge."""

    clock: Clock
    ahead: float = 3.0
    stalled: bool = False
    chunks: list[bytes] = field(default_factory=list)
    position: Frames = 0
    _random: random.Random = field(default_factory=lambda: random.Random(1))

    def __post_init__(self) -> None:
        self.edge = LiveEdge(self.clock)
        self.mount = Mount("opus", open_muxer("opus", title="t", description="d"), now=self.clock)

    @property
    def relay(self) -> Relay:
        return self.mount.relay

    def feed_one(self) -> None:
        for _ in range(4):
            self.mount.add(Packet(self.position, 960, self._random.randbytes(self._random.randint(200, 300))))
            self.position += 960
        self.edge.extend(self.position)

    def tick(self) -> None:
        self.edge.advance()
        while not self.stalled and self.edge.reserve < self.ahead:
            self.feed_one()
        self.mount.advance(self.edge.advance())
        ring = self.mount.ring
        self.chunks += [chunk.data for chunk in ring.slice(len(self.chunks), ring.next_number)]

    def run(self, seconds: float) -> None:
        end = self.clock.seconds + seconds
        while self.clock.seconds < end - 1e-9:
            self.tick()
            self.clock.seconds += ADVANCE_INTERVAL
        self.tick()

    def check_pages(self, peer: Peer) -> list[bytes]:
        """Return the pages that the peer received, which must form one stream of consecutive station chunks."""
        pages = [page.raw for page in check_one_stream(bytes(peer.received), checksums=False)]
        first = self.chunks.index(pages[0]) if pages else 0
        assert pages == self.chunks[first : first + len(pages)]
        return pages


def join(relay: Relay, peer: Peer, burst: float = 22.0, on_start: Callable[[Frames], None] | None = None) -> Listener:
    return relay.join(peer, burst=burst, on_start=on_start)
