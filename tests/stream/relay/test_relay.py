from __future__ import annotations

import asyncio
import socket

import pytest

from radio.stream.relay.connection import Connection
from radio.stream.relay.relay import (
    ADVANCE_INTERVAL,
    LAG_LIMIT,
    LONG_BURST,
    MAX_CHUNKS,
    READ_CHECK_ROUNDS,
    STALL_LIMIT,
    TURNS,
    Relay,
)
from radio.types import BURST_LIMIT, SAMPLE_RATE
from tests.stream.audience import CHUNK, TCP_CLOSE, TURN, Clock, Peer, Station, join
from tests.stream.ogg_reader import check_one_stream


def test_twenty_listeners_hear_the_same_bytes(station: Station, relay: Relay, clock: Clock) -> None:
    peers = []
    for _ in range(20):
        station.run(1.7)
        peers.append(Peer(clock))
        join(relay, peers[-1])
    station.run(10)
    ends = [station.heard(peer)[-1] for peer in peers]
    assert {station.chunks.index(end) for end in ends} <= set(
        range(station.mount.ring.edge - TURNS - 1, station.mount.ring.edge)
    )


@pytest.mark.parametrize(("asked", "aired", "got"), [(22, 40, 22), (2, 40, 2), (0, 40, 0), (22, 5, 5), (500, 90, 25)])
def test_the_burst_is_what_was_asked_as_far_as_there_is(
    station: Station, relay: Relay, asked: float, aired: float, got: float
) -> None:
    station.run(aired)
    peer = Peer(station.clock)
    join(relay, peer, asked)
    for _ in range(30):
        relay.advance()
    assert abs(len(station.heard(peer)) * CHUNK - got) <= 2 * CHUNK


def test_who_comes_before_the_first_chunk_gets_headers_and_then_audio(
    station: Station, relay: Relay, clock: Clock
) -> None:
    peer, firsts = Peer(clock), []
    join(relay, peer, on_start=firsts.append)
    relay.advance()
    assert check_one_stream(bytes(peer.received)) == []
    assert firsts == []
    station.run(1)
    assert check_one_stream(bytes(peer.received))[0].granule == 3_840
    assert firsts == [3_840 - 312]


@pytest.mark.parametrize(("burst", "first"), [(2.0, 18.0), (22.0, 10.0)])
def test_who_comes_while_the_past_is_still_being_encoded_waits_for_its_place(
    station: Station, relay: Relay, clock: Clock, burst: float, first: float
) -> None:
    """The station has played for 20 s, and packets come from 10 s on."""
    station.edge.extend(20 * SAMPLE_RATE)
    clock.seconds += 20
    station.mount.advance(station.edge.advance())
    peer = Peer(clock)
    join(relay, peer, burst)
    station.position = 10 * SAMPLE_RATE
    while station.position < 20 * SAMPLE_RATE:
        station.feed_one()
        station.mount.advance(station.edge.advance())
    station.run(5)
    begin = check_one_stream(bytes(peer.received), checksums=False)[0].granule - 3_840
    assert begin / SAMPLE_RATE == pytest.approx(first, abs=CHUNK)


def test_what_is_handed_over_at_once_stays_within_a_portion(station: Station, relay: Relay, clock: Clock) -> None:
    station.run(60)
    peer = Peer(clock)
    join(relay, peer, BURST_LIMIT)
    for _ in range(30):
        relay.advance()
    largest = max(sum(map(len, station.chunks[n : n + MAX_CHUNKS])) for n in range(len(station.chunks)))
    assert max(len(data) for _, data in peer.sends) <= largest
    assert len(peer.received) > 10 * largest


def test_listeners_with_a_cushion_take_turns_and_share_their_bytes(
    station: Station, relay: Relay, clock: Clock
) -> None:
    station.run(30)
    peers = [Peer(clock) for _ in range(5 * TURNS)]
    for peer in peers:
        join(relay, peer)
    station.run(5)
    for peer in peers:
        peer.sends.clear()
    began = clock()
    station.run(6 * TURN)
    ticks: dict[float, list[bytes]] = {}
    for peer in peers:
        assert 5 <= len(peer.sends) <= 7
        for at, data in peer.sends:
            ticks.setdefault(at, []).append(data)
    full = {at: sent for at, sent in ticks.items() if at > began + TURN}
    assert {len(sent) for sent in full.values()} == {5}
    assert all(len(set(map(id, sent))) == 1 for sent in full.values())


@pytest.mark.parametrize("burst", [0.0, 2.0, LONG_BURST - 0.5])
def test_one_without_a_cushion_gets_each_chunk_when_it_is_let_out(
    station: Station, relay: Relay, clock: Clock, burst: float
) -> None:
    station.run(30)
    peer = Peer(clock)
    join(relay, peer, burst)
    station.run(3)
    for _ in range(200):
        clock.seconds += ADVANCE_INTERVAL
        station.tick()
        assert peer.received.endswith(station.mount.ring[station.mount.ring.edge - 1].data)


@pytest.mark.parametrize("burst", [0.0, 1.0, LONG_BURST, 22.0])
def test_nobody_starves(station: Station, relay: Relay, clock: Clock, burst: float) -> None:
    """What a player has and has not played is never less than its burst, but for the tick that is going on."""
    station.run(30)
    peer = Peer(clock)
    listener = join(relay, peer, burst)
    station.run(3)
    began, first = clock() - 3, station.mount.ring.at(listener.start)
    for _ in range(1_000):
        clock.seconds += ADVANCE_INTERVAL
        station.tick()
        assert peer.received.endswith(station.mount.ring[listener.next - 1].data)
        got = (listener.next - first) * CHUNK
        wait = TURN if burst >= LONG_BURST else 0
        assert got - (clock() - began) >= burst - wait - 3 * CHUNK
    station.heard(peer)


@pytest.mark.parametrize("burst", [0.0, 22.0, BURST_LIMIT])
def test_a_stalled_listener_is_gone_within_a_minute_and_the_others_lose_nothing(
    station: Station, relay: Relay, clock: Clock, burst: float
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
    station.heard(good)
    assert relay.lag(listener) <= TURN + CHUNK


def test_who_asks_for_all_there_is_has_time_to_take_it(station: Station, relay: Relay, clock: Clock) -> None:
    """Nothing is acknowledged for a long round trip, and only then does the burst move."""
    station.run(40)
    peer = Peer(clock, rate=0)
    listener = join(relay, peer, 500)
    station.run(3)
    assert BURST_LIMIT < relay.lag(listener) < LAG_LIMIT
    peer.rate = 40_000
    station.run(60)
    assert relay.lag(listener) <= TURN + CHUNK
    assert relay.counts.slow_disconnects == 0
    station.heard(peer)


def test_a_slow_listener_loses_no_byte_before_it_is_dropped(station: Station, relay: Relay, clock: Clock) -> None:
    station.run(40)
    slow = Peer(clock, rate=6_000)
    join(relay, slow)
    station.run(60)
    assert slow.closed
    station.heard(slow)


def test_a_listener_that_catches_up_stays(station: Station, relay: Relay, clock: Clock) -> None:
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
    station.heard(peer)


@pytest.mark.parametrize("burst", [0.0, 22.0])
@pytest.mark.parametrize("window", [600_000, 8_000_000])
def test_one_whose_system_takes_everything_is_gone_within_a_minute_of_its_last_read(
    station: Station, relay: Relay, clock: Clock, burst: float, window: int
) -> None:
    station.run(40)
    peer = Peer(clock, window=window)
    join(relay, peer, burst)
    for _ in range(300):
        station.run(ADVANCE_INTERVAL)
        peer.read = len(peer.received)
    began = clock()
    while not peer.closed and clock() - began < 100:
        station.run(ADVANCE_INTERVAL)
    assert LAG_LIMIT <= clock() - began <= LAG_LIMIT + 2 * READ_CHECK_ROUNDS * TURN
    assert relay.counts.slow_disconnects == 1


@pytest.mark.parametrize("held", [0, 100_000, 300_000])
@pytest.mark.parametrize("lump", [1, 100, 200])
def test_one_that_reads_in_its_own_way_stays(
    station: Station, relay: Relay, clock: Clock, held: int, lump: int
) -> None:
    """It leaves up to 25 s with its system, and reads every 80 ms, or only every 8 s, or every 16."""
    station.run(40)
    peer = Peer(clock, window=400_000 + 20_000 * lump)
    join(relay, peer, 22)
    for tick in range(3_000):
        station.run(ADVANCE_INTERVAL)
        if tick % lump == 0:
            peer.read = max(peer.read, len(peer.received) - held)
    assert not peer.closed
    station.heard(peer)


def test_a_broken_connection_is_forgotten_once(station: Station, relay: Relay, clock: Clock) -> None:
    peer = Peer(clock)
    listener = join(relay, peer, 0)
    peer.broken = True
    station.run(1)
    relay.leave(listener)
    assert peer.closed
    assert (relay.listeners, relay.counts.slow_disconnects) == (0, 0)


@pytest.mark.parametrize("burst", [0.0, 22.0])
def test_whoever_leaves_while_there_is_nothing_to_send_is_forgotten(
    station: Station, relay: Relay, clock: Clock, burst: float
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
    # Whoever stays through hours of silence is there when it ends.
    station.run(600)
    station.stalled = False
    station.run(5)
    assert relay.listeners == 1
    station.heard(other)


def test_closing_disconnects_everybody(station: Station, relay: Relay, clock: Clock) -> None:
    peers = [Peer(clock) for _ in range(3)]
    for peer in peers:
        join(relay, peer)
    station.run(10)
    relay.close()
    assert all(peer.closed for peer in peers)
    station.run(2)
    assert relay.listeners == 0


async def test_a_real_socket_that_is_never_read_is_cut_off(station: Station, relay: Relay, clock: Clock) -> None:
    """The peer's window fills up; the connection is reset all the same, and at once."""
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
            transport = await asyncio.wait_for(joined.get(), 5)
            relay.join(Connection(transport), burst=22)
            transport.close()
            began = clock()
            while relay.listeners and clock() - began < 60:
                station.run(ADVANCE_INTERVAL)
                await asyncio.sleep(0)
            assert 5 < clock() - began < 60
            # Nothing of it is left in the system either: the peer sees a reset, not an open connection.
            state = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            assert state == TCP_CLOSE
    assert relay.counts.slow_disconnects == 1
