"""Listeners that read slowly, stop reading or leave."""

from __future__ import annotations

import asyncio
import socket
import weakref

import pytest

from radio.stream.relay.connection import Connection
from radio.stream.relay.relay import (
    ADVANCE_INTERVAL,
    LAG_LIMIT,
    READ_CHECK_ROUNDS,
    STALL_LIMIT,
    Relay,
)
from radio.types import BURST_LIMIT
from tests.stream.audience import CHUNK, TCP_CLOSE, TURN, Clock, FakeStation, Peer, join


@pytest.mark.parametrize("burst", [0.0, 22.0, BURST_LIMIT])
def test_a_stalled_listener_is_disconnected_and_others_lose_nothing(
    station: FakeStation, relay: Relay, clock: Clock, burst: float
) -> None:
    station.run(40)
    good, stalled = Peer(clock), Peer(clock, rate=0)
    listener = join(relay, good, burst)
    join(relay, stalled, burst)
    began = clock()
    while not stalled.closed and clock() - began < 120:
        station.run(ADVANCE_INTERVAL)
    filled = stalled.room * CHUNK / 1_000
    assert clock() - began <= filled + STALL_LIMIT + 2 * TURN
    assert (relay.listeners, relay.counts.joined, relay.counts.slow_disconnects) == (1, 2, 1)
    station.check_pages(good)
    assert relay.lag(listener) <= TURN + CHUNK


def test_a_listener_with_the_longest_burst_has_time_to_receive_it(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    """The burst starts to move only after a long round trip without acknowledgements."""
    station.run(40)
    peer = Peer(clock, rate=0)
    listener = join(relay, peer, 500)
    station.run(3)
    assert BURST_LIMIT < relay.lag(listener) < LAG_LIMIT
    peer.rate = 40_000
    station.run(60)
    assert relay.lag(listener) <= TURN + CHUNK
    assert relay.counts.slow_disconnects == 0
    station.check_pages(peer)


def test_a_slow_listener_loses_no_bytes_before_it_is_disconnected(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    station.run(40)
    slow = Peer(clock, rate=6_000)
    join(relay, slow)
    station.run(2 * LAG_LIMIT)
    assert slow.closed
    station.check_pages(slow)


def test_a_listener_whose_next_chunk_was_dropped_during_a_freeze_is_disconnected(clock: Clock) -> None:
    station = FakeStation(clock, ahead=20)
    relay = station.relay
    station.run(40)
    good, slow = Peer(clock), Peer(clock, rate=1_000)
    join(relay, good)
    listener = join(relay, slow)
    while relay.lag(listener) < LAG_LIMIT - 2 * TURN:
        station.run(ADVANCE_INTERVAL)
    slow.rate = 40_000
    clock.seconds += 25  # the live edge jumps by the reserve
    station.run(2 * TURN)
    assert (good.closed, slow.closed, relay.counts.slow_disconnects) == (False, True, 1)
    station.check_pages(slow)


def test_a_listener_that_catches_up_stays_connected(station: FakeStation, relay: Relay, clock: Clock) -> None:
    station.run(40)
    peer = Peer(clock, rate=40_000)
    listener = join(relay, peer)
    station.run(20)
    peer.rate = 0
    station.run(18)
    assert relay.lag(listener) > 15
    peer.rate = 40_000
    station.run(30)
    assert relay.lag(listener) <= TURN + CHUNK
    assert relay.counts.slow_disconnects == 0
    station.check_pages(peer)


def test_a_player_that_leaves_its_burst_unread_may_pause_for_half_a_minute(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    """The player buffers 10 s; the other 12 s of its burst wait in the connection. It pauses twice."""
    station.run(40)
    peer = Peer(clock, rate=0)
    listener = join(relay, peer, 22)
    for _ in range(2):
        station.run(30)
        peer.rate = 40_000
        station.run(40)
        assert relay.lag(listener) <= TURN + CHUNK
        peer.rate = 0
    assert relay.counts.slow_disconnects == 0
    station.check_pages(peer)


@pytest.mark.parametrize("burst", [0.0, 22.0])
@pytest.mark.parametrize("window", [1_200_000, 8_000_000])
def test_a_listener_that_stops_reading_is_disconnected_despite_a_large_receive_buffer(
    station: FakeStation, relay: Relay, clock: Clock, burst: float, window: int
) -> None:
    station.run(40)
    peer = Peer(clock, window=window)
    join(relay, peer, burst)
    for _ in range(300):
        station.run(ADVANCE_INTERVAL)
        peer.read = len(peer.received)
    began = clock()
    while not peer.closed and clock() - began < 4 * LAG_LIMIT:
        station.run(ADVANCE_INTERVAL)
    assert LAG_LIMIT <= clock() - began <= LAG_LIMIT + 2 * READ_CHECK_ROUNDS * TURN
    assert relay.counts.slow_disconnects == 1


@pytest.mark.parametrize("unread", [0, 100_000, 300_000])
@pytest.mark.parametrize("interval", [1, 100, 200])
def test_a_listener_that_reads_in_large_blocks_stays_connected(
    station: FakeStation, relay: Relay, clock: Clock, unread: int, interval: int
) -> None:
    """The player leaves up to 25 s unread and reads every 80 ms, every 8 s or every 16 s."""
    station.run(40)
    peer = Peer(clock, window=400_000 + 20_000 * interval)
    join(relay, peer, 22)
    for tick in range(3_000):
        station.run(ADVANCE_INTERVAL)
        if tick % interval == 0:
            peer.read = max(peer.read, len(peer.received) - unread)
    assert not peer.closed
    station.check_pages(peer)


def test_a_broken_connection_is_removed_once(station: FakeStation, relay: Relay, clock: Clock) -> None:
    peer = Peer(clock)
    listener = join(relay, peer, 0)
    peer.broken = True
    station.run(1)
    relay.leave(listener)
    assert peer.closed
    assert (relay.listeners, relay.counts.slow_disconnects) == (0, 0)


@pytest.mark.parametrize("burst", [0.0, 22.0])
def test_nothing_is_kept_of_a_listener_that_has_left(
    station: FakeStation, relay: Relay, clock: Clock, burst: float
) -> None:
    station.run(40)
    peer = Peer(clock)
    join(relay, peer, burst)
    station.run(10)
    peer.broken = True
    station.run(2 * TURN)
    kept = weakref.ref(peer)
    del peer
    assert kept() is None


@pytest.mark.parametrize("burst", [0.0, 22.0])
def test_a_listener_that_leaves_during_silence_is_removed(
    station: FakeStation, relay: Relay, clock: Clock, burst: float
) -> None:
    station.run(40)
    peer, other = Peer(clock), Peer(clock)
    join(relay, peer, burst)
    join(relay, other, burst)
    station.run(10)
    station.stalled = True
    station.run(station.ahead + TURN)
    peer.broken = True
    station.run(READ_CHECK_ROUNDS * TURN + TURN)
    assert peer.closed
    assert (relay.listeners, relay.counts.slow_disconnects) == (1, 0)
    # A listener that waits through a long silence stays connected.
    station.run(600)
    station.stalled = False
    station.run(5)
    assert relay.listeners == 1
    station.check_pages(other)


def test_a_listener_that_is_sent_away_gets_all_released_audio_if_it_reads_in_time(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    station.ahead = 10
    station.run(40)
    fast, slow, stuck = Peer(clock), Peer(clock, rate=40_000), Peer(clock, rate=0)
    for peer in (fast, slow, stuck):
        join(relay, peer, 0)
    station.run(1)
    station.edge.release_ahead(8)
    station.tick()
    last = station.mount.ring.slice(station.mount.ring.edge - 1, station.mount.ring.edge)[0].data
    assert relay.send_away(3, wait=True) == 1
    assert (fast.finished, fast.closed) == (True, True)
    while not slow.closed:
        assert not stuck.closed
        clock.seconds += 0.1
        relay.send_away(2, wait=True)
    clock.seconds += 2
    for peer in (fast, slow):
        peer.drain()
        assert station.check_pages(peer)[-1] == last
    assert relay.send_away(1) == 1
    assert stuck.closed
    assert relay.listeners == 0


def test_closing_disconnects_all_listeners(station: FakeStation, relay: Relay, clock: Clock) -> None:
    peers = [Peer(clock) for _ in range(3)]
    for peer in peers:
        join(relay, peer)
    station.run(10)
    relay.close()
    assert all(peer.closed for peer in peers)
    station.run(2)
    assert relay.listeners == 0


def test_a_listener_that_joins_a_closed_relay_is_disconnected(station: FakeStation, relay: Relay, clock: Clock) -> None:
    """A player may connect again while its station is being removed."""
    station.run(10)
    relay.close()
    peer, left = Peer(clock), list[bool]()
    relay.join(peer, burst=22, on_leave=lambda: left.append(True))
    assert (peer.closed, left, relay.listeners) == (True, [True], 0)


async def test_a_real_socket_that_is_never_read_is_reset(station: FakeStation, relay: Relay, clock: Clock) -> None:
    """The connection is reset although the peer's window is full."""
    joined: asyncio.Queue[asyncio.Transport] = asyncio.Queue()

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            joined.put_nowait(transport)

    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    station.run(40)
    async with server:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, server.sockets[0].getsockname())
            transport = await asyncio.wait_for(joined.get(), 60)
            relay.join(Connection(transport), burst=22)
            transport.close()
            began = clock()
            while relay.listeners and clock() - began < 2 * STALL_LIMIT:
                station.run(ADVANCE_INTERVAL)
                await asyncio.sleep(0)
            assert 5 < clock() - began < STALL_LIMIT + 10
            # The operating system has dropped the connection too: the peer sees a reset.
            state = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            assert state == TCP_CLOSE
    assert relay.counts.slow_disconnects == 1
