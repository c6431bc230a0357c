from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from radio.stream.connection import Connection
from radio.stream.ogg import Page, Pager, header_pages
from radio.stream.relay import BURST_LIMIT, LAG_LIMIT, LOOK, PORTION, STALL, TICK, Listener, Relay
from radio.types import SAMPLE_RATE, Packet
from tests.stream.ogg_reader import check_one_stream

PAGE = 3_840 / SAMPLE_RATE
TCP_CLOSE = 7


@dataclass
class Clock:
    """Monotonic seconds that pass when the test says so."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Peer:
    """A connection whose system takes `rate` bytes a second off the buffer; its own time, no waiting."""

    clock: Clock
    rate: float = float("inf")
    received: bytearray = field(default_factory=bytearray)
    buffered: bytearray = field(default_factory=bytearray)
    writes: list[bytes] = field(default_factory=list)
    aborted: bool = False
    _since: float | None = None

    def write(self, data: bytes) -> None:
        assert not self.aborted
        self.drain()
        self.writes.append(data)
        self.buffered += data
        self.drain()

    def drain(self) -> None:
        now = self.clock()
        since = now if self._since is None else self._since
        taken = len(self.buffered) if self.rate == float("inf") else int((now - since) * self.rate)
        if taken:
            self._since = now
        self._since = self._since or now
        self.received += self.buffered[:taken]
        del self.buffered[:taken]

    def waiting(self) -> int:
        self.drain()
        return len(self.buffered)

    def unacknowledged(self) -> int:
        return self.waiting()

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


@dataclass
class Station:
    """Feeds a relay as a worker would, `ahead` seconds before the live edge, while the clock runs."""

    clock: Clock
    relay: Relay
    ahead: float = 3.0
    stalled: bool = False
    pages: list[Page] = field(default_factory=list)
    _pager: Pager = field(default_factory=lambda: Pager(serial=9))
    _random: random.Random = field(default_factory=lambda: random.Random(1))

    def feed_one(self) -> None:
        page = None
        while page is None:
            data = self._random.randbytes(self._random.randint(200, 300))
            page = self._pager.add(Packet(self._pager.position, 960, data))
        self.pages.append(page)
        self.relay.feed(page)

    def run(self, seconds: float, *, step: float = PAGE) -> None:
        end = self.clock.seconds + seconds
        while self.clock.seconds < end - 1e-9:
            while not self.stalled and self.relay.reserve < self.ahead:
                self.feed_one()
            self.relay.advance()
            self.clock.seconds += step
        self.relay.advance()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def relay(clock: Clock) -> Relay:
    return Relay(header_pages(serial=9), clock)


@pytest.fixture
def station(clock: Clock, relay: Relay) -> Station:
    return Station(clock, relay)


def join(relay: Relay, peer: Peer, burst: float = 22.0, gone: Callable[[], None] = lambda: None) -> Listener:
    return relay.join(peer, burst=burst, gone=gone)


def test_nothing_is_let_out_before_its_time(station: Station, relay: Relay, clock: Clock) -> None:
    """After the first page, live audio and wall clock never differ by more than one page, whatever the reserve."""
    start = clock()
    rng = random.Random(3)
    while clock() < start + 600:
        station.run(rng.uniform(0.01, 0.4), step=0.01)
        assert -1e-6 <= relay.live / SAMPLE_RATE - (clock() - start) <= PAGE + 1e-6
    assert relay.counts.underruns == 0


def test_twenty_listeners_hear_the_same_bytes(station: Station, relay: Relay, clock: Clock) -> None:
    peers = []
    for _ in range(20):
        station.run(1.7)
        peers.append(Peer(clock))
        join(relay, peers[-1])
    station.run(10)
    heard = [check_one_stream(bytes(peer.received), checksums=False) for peer in peers]
    last = {pages[-1].sequence for pages in heard}
    assert len(last) == 1
    truth = {page.sequence: page.data for page in station.pages}
    for pages in heard:
        assert all(truth[page.sequence] == page.raw for page in pages)


@pytest.mark.parametrize(("asked", "aired", "got"), [(22, 40, 22), (2, 40, 2), (0, 40, 0), (22, 5, 5), (500, 90, 25)])
def test_the_burst_is_what_was_asked_as_far_as_there_is(
    station: Station, asked: float, aired: float, got: float
) -> None:
    relay = station.relay
    station.run(aired)
    peer = Peer(station.clock)
    join(relay, peer, asked)
    for _ in range(30):
        relay.advance()
    audio = check_one_stream(bytes(peer.received), checksums=False)
    assert abs(sum(len(page.packets) for page in audio) * 960 / SAMPLE_RATE - got) <= 2 * PAGE


def test_a_listener_before_the_first_page_gets_headers_and_then_audio(
    station: Station, relay: Relay, clock: Clock
) -> None:
    peer = Peer(clock)
    join(relay, peer)
    assert not relay.on_air
    relay.advance()
    assert relay.pause() == TICK
    station.run(1)
    assert relay.on_air
    assert check_one_stream(bytes(peer.received))[0].granule == 3_840


def test_writes_stay_within_a_portion(station: Station, relay: Relay, clock: Clock) -> None:
    station.run(60)
    peer = Peer(clock)
    join(relay, peer, BURST_LIMIT)
    for _ in range(30):
        relay.advance()
    assert max(map(len, peer.writes)) <= PORTION
    assert len(peer.received) > 4 * PORTION


def test_live_pages_are_shared_not_copied(station: Station, relay: Relay, clock: Clock) -> None:
    station.run(3)
    peers = [Peer(clock) for _ in range(3)]
    for peer in peers:
        join(relay, peer, 0)
    station.run(1)
    live = [peer.writes[-1] for peer in peers]
    assert live[0] is live[1] is live[2]


@pytest.mark.parametrize("burst", [0.0, 22.0, BURST_LIMIT])
def test_a_stalled_listener_is_gone_within_a_minute_and_the_others_lose_nothing(
    station: Station, relay: Relay, clock: Clock, burst: float
) -> None:
    station.run(40)
    good, stalled, over = Peer(clock), Peer(clock, rate=0), []
    join(relay, good, burst)
    began = clock()
    join(relay, stalled, burst, lambda: over.append(clock()))
    station.run(60)
    assert stalled.aborted
    assert len(over) == 1
    assert over[0] - began <= STALL + 2 * LOOK
    assert (relay.listeners, relay.counts.joined, relay.counts.slow_disconnects) == (1, 2, 1)
    check_one_stream(bytes(good.received), checksums=False)
    assert relay.lag(next(iter(relay._listeners))) == 0.0


def test_who_asks_for_all_there_is_has_time_to_take_it(station: Station, relay: Relay, clock: Clock) -> None:
    """Nothing is acknowledged for a long round trip, and only then does the burst move."""
    station.run(40)
    peer = Peer(clock, rate=0)
    listener = join(relay, peer, 500)
    station.run(3 * LOOK)
    assert BURST_LIMIT < relay.lag(listener) < LAG_LIMIT
    peer.rate = 40_000
    station.run(60)
    assert relay.lag(listener) < 1
    assert relay.counts.slow_disconnects == 0
    check_one_stream(bytes(peer.received), checksums=False)


def test_a_slow_listener_loses_no_byte_before_it_is_dropped(station: Station, relay: Relay, clock: Clock) -> None:
    station.run(40)
    slow = Peer(clock, rate=6_000)
    join(relay, slow)
    station.run(50)
    assert slow.aborted
    pages = check_one_stream(bytes(slow.received), checksums=False)
    truth = {page.sequence: page.data for page in station.pages}
    assert all(truth[page.sequence] == page.raw for page in pages)


def test_a_listener_that_catches_up_stays(station: Station, relay: Relay, clock: Clock) -> None:
    station.run(40)
    peer = Peer(clock, rate=40_000)
    listener = join(relay, peer)
    station.run(5)
    peer.rate = 0
    station.run(15)
    assert relay.lag(listener) > 20
    peer.rate = 40_000
    station.run(30)
    assert relay.lag(listener) < 1
    assert relay.counts.slow_disconnects == 0
    check_one_stream(bytes(peer.received), checksums=False)


def test_a_closed_connection_is_forgotten_once(station: Station, relay: Relay, clock: Clock) -> None:
    over: list[int] = []
    peer = Peer(clock)
    listener = join(relay, peer, 0, lambda: over.append(1))
    peer.abort()
    station.run(1)
    relay.leave(listener)
    assert over == [1]
    assert (relay.listeners, relay.counts.slow_disconnects) == (0, 0)


def test_a_station_that_stops_shifts_the_edge_once_and_never_catches_up(
    station: Station, relay: Relay, clock: Clock
) -> None:
    start = clock()
    station.run(10)
    station.stalled = True
    station.run(8)
    assert relay.reserve == 0
    station.stalled = False
    before = relay.live
    station.run(20)
    assert (relay.live - before) / SAMPLE_RATE == pytest.approx(20, abs=2 * PAGE)
    assert relay.counts.underruns == 1
    assert relay.counts.late == pytest.approx(8 - 3, abs=2 * PAGE)
    assert relay.live / SAMPLE_RATE == pytest.approx(clock() - start - relay.counts.late, abs=2 * PAGE)


def test_a_stall_shorter_than_the_reserve_is_not_heard(station: Station, relay: Relay, clock: Clock) -> None:
    start = clock()
    station.run(10)
    station.stalled = True
    station.run(2.8)
    station.stalled = False
    station.run(10)
    assert relay.counts.underruns == 0
    assert relay.live / SAMPLE_RATE == pytest.approx(clock() - start, abs=PAGE + 1e-6)


def test_the_ring_keeps_a_minute_and_no_more(station: Station, relay: Relay) -> None:
    station.run(59)
    assert len(relay._ring) == len(station.pages)
    station.run(120)
    assert 60 / PAGE <= len(relay._ring) <= (60 + 3) / PAGE + 4


def test_pause_ends_when_the_next_page_is_due(station: Station, relay: Relay, clock: Clock) -> None:
    station.run(2)
    for _ in range(100):
        edge = relay.live
        clock.seconds += relay.pause() + 1e-9
        if relay.reserve < 1:
            station.feed_one()
        relay.advance()
        assert relay.live == edge + 3_840


async def test_a_real_socket_that_is_never_read_is_cut_off(station: Station, relay: Relay, clock: Clock) -> None:
    """The peer's window fills up; the transport is aborted all the same, and at once."""
    joined: asyncio.Queue[asyncio.Transport] = asyncio.Queue()
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            joined.put_nowait(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            lost.set_result(None)

    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    station.run(40)
    async with server:
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            transport = await asyncio.wait_for(joined.get(), 5)
            over: list[float] = []
            began = clock()
            relay.join(Connection(transport), burst=22, gone=lambda: over.append(clock() - began))
            while not over and clock() - began < 60:
                station.run(PAGE)
                await asyncio.sleep(0)
            assert over
            assert 5 < over[0] < 60
            assert transport.is_closing()
            await asyncio.wait_for(lost, 5)
            # Nothing of it is left in the system either: the peer sees a reset, not an open connection.
            state = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            assert state == TCP_CLOSE
    assert relay.counts.slow_disconnects == 1
