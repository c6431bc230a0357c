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
    SHORT_CUSHION,
    STALL_LIMIT,
    TURNS,
    Relay,
)
from radio.types import BURST_LIMIT, SAMPLE_RATE
from tests.stream.audience import CHUNK, TCP_CLOSE, TURN, Clock, FakeStation, Peer, join
from tests.stream.ogg_reader import check_one_stream


def test_twenty_listeners_get_the_same_bytes(station: FakeStation, relay: Relay, clock: Clock) -> None:
    peers = []
    for _ in range(20):
        station.run(1.7)
        peers.append(Peer(clock))
        join(relay, peers[-1])
    station.run(10)
    ends = [station.check_pages(peer)[-1] for peer in peers]
    assert {station.chunks.index(end) for end in ends} <= set(
        range(station.mount.ring.edge - TURNS - 1, station.mount.ring.edge)
    )


@pytest.mark.parametrize(
    ("burst", "aired", "expected"), [(22, 40, 22), (2, 40, 2), (0, 40, 0), (22, 5, 5), (500, 90, 25)]
)
def test_the_burst_has_the_requested_length_if_available(
    station: FakeStation, relay: Relay, burst: float, aired: float, expected: float
) -> None:
    station.run(aired)
    peer = Peer(station.clock)
    join(relay, peer, burst)
    for _ in range(30):
        relay.advance()
    assert abs(len(station.check_pages(peer)) * CHUNK - expected) <= 2 * CHUNK


def test_a_listener_before_the_first_chunk_gets_headers_and_then_audio(
    station: FakeStation, relay: Relay, clock: Clock
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
def test_a_listener_waits_while_past_audio_is_being_encoded(
    station: FakeStation, relay: Relay, clock: Clock, burst: float, first: float
) -> None:
    """The station has played for 20 s, and its packets start at 10 s."""
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


def test_each_write_is_limited_to_the_maximum_number_of_chunks(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    station.run(60)
    peer = Peer(clock)
    join(relay, peer, BURST_LIMIT)
    for _ in range(30):
        relay.advance()
    largest = max(sum(map(len, station.chunks[n : n + MAX_CHUNKS])) for n in range(len(station.chunks)))
    assert max(len(data) for _, data in peer.sends) <= largest
    assert len(peer.received) > 10 * largest


def test_listeners_with_a_long_burst_take_turns_and_share_bytes(
    station: FakeStation, relay: Relay, clock: Clock
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
    full_ticks = {at: sent for at, sent in ticks.items() if at > began + TURN}
    assert {len(sent) for sent in full_ticks.values()} == {5}
    assert all(len(set(map(id, sent))) == 1 for sent in full_ticks.values())


@pytest.mark.parametrize("burst", [0.0, 2.0, LONG_BURST - 0.5])
def test_a_listener_with_a_short_burst_gets_each_chunk_at_its_release(
    station: FakeStation, relay: Relay, clock: Clock, burst: float
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
def test_a_player_always_has_its_burst_in_reserve(
    station: FakeStation, relay: Relay, clock: Clock, burst: float
) -> None:
    """The unplayed audio of a player is never less than its burst, apart from the current turn."""
    station.run(30)
    peer = Peer(clock)
    listener = join(relay, peer, burst)
    station.run(3)
    began, first = clock() - 3, station.mount.ring.find(listener.start)
    for _ in range(1_000):
        clock.seconds += ADVANCE_INTERVAL
        station.tick()
        assert peer.received.endswith(station.mount.ring[listener.next - 1].data)
        received = (listener.next - first) * CHUNK
        wait = TURN if burst >= LONG_BURST else 0
        assert received - (clock() - began) >= burst - wait - 3 * CHUNK
    station.check_pages(peer)


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


def test_a_slow_listener_loses_no_byte_before_it_is_disconnected(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    station.run(40)
    slow = Peer(clock, rate=6_000)
    join(relay, slow)
    station.run(2 * LAG_LIMIT)
    assert slow.closed
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


def test_a_player_that_holds_its_burst_by_not_reading_may_pause_for_half_a_minute(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    """It plays 10 s from its own memory; the other 12 s of its burst wait in the connection. Then it pauses, twice."""
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
def test_a_listener_that_reads_in_large_parts_stays_connected(
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
    # A listener that stays through a long silence is still connected afterwards.
    station.run(600)
    station.stalled = False
    station.run(5)
    assert relay.listeners == 1
    station.check_pages(other)


def test_closing_disconnects_all_listeners(station: FakeStation, relay: Relay, clock: Clock) -> None:
    peers = [Peer(clock) for _ in range(3)]
    for peer in peers:
        join(relay, peer)
    station.run(10)
    relay.close()
    assert all(peer.closed for peer in peers)
    station.run(2)
    assert relay.listeners == 0


async def test_a_real_socket_that_is_never_read_is_reset(station: FakeStation, relay: Relay, clock: Clock) -> None:
    """The connection is reset at once although the peer's window is full."""
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
            # The connection is gone from the system too: the peer sees a reset.
            state = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            assert state == TCP_CLOSE
    assert relay.counts.slow_disconnects == 1


def stall(station: FakeStation, clock: Clock, seconds: float) -> None:
    """Let time pass in which the station renders nothing."""
    for _ in range(round(seconds / ADVANCE_INTERVAL)):
        clock.seconds += ADVANCE_INTERVAL
        station.mount.advance(station.edge.advance())


def test_a_listener_is_starved_once_its_burst_is_played(station: FakeStation, relay: Relay, clock: Clock) -> None:
    station.run(40)
    for burst in (0.0, 3.0, 10.0, 22.0):
        join(relay, Peer(clock), burst)
    station.run(5)
    assert (relay.starved, relay.counts.starved) == (0, 0)
    starved = []
    for _ in range(6):
        stall(station, clock, 4.5)
        starved.append(relay.starved)
    assert starved == [1, 2, 2, 3, 3, 4]  # the reserve lasts for another three seconds
    station.run(1)
    assert (relay.starved, relay.counts.starved) == (0, 4)
    station.run(60)
    assert (relay.starved, relay.counts.starved) == (0, 4)


def test_a_listener_that_waits_for_its_first_audio_is_starved(station: FakeStation, relay: Relay, clock: Clock) -> None:
    join(relay, Peer(clock), 2.0)
    stall(station, clock, 3)
    assert relay.starved == 1


def test_a_listener_whose_cushion_is_spent_is_written_to_on_every_tick(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    station.run(40)
    peer = Peer(clock)
    listener = join(relay, peer, 10.0)
    station.run(5)
    assert listener.turn >= 0
    stall(station, clock, 11.5)
    station.run(3)
    assert listener.turn < 0
    last = [time for time, _ in peer.sends if time > clock() - 2]
    assert len(last) >= 20
    assert listener.plays_until - clock() < SHORT_CUSHION
    station.check_pages(peer)


def test_a_burst_that_is_still_being_encoded_comes_as_fast_as_it_is_encoded(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    """The station has played for 40 s; the past comes at eight times the speed of live audio."""
    station.edge.extend(40 * SAMPLE_RATE)
    clock.seconds += 40
    station.mount.advance(station.edge.advance())
    peer = Peer(clock)
    join(relay, peer, 22.0)
    station.position = 18 * SAMPLE_RATE
    while station.position < station.edge.live - SAMPLE_RATE:
        for _ in range(8):
            station.feed_one()
        clock.seconds += ADVANCE_INTERVAL
        station.edge.extend(station.edge.end + round(ADVANCE_INTERVAL * SAMPLE_RATE))
        station.mount.advance(station.edge.advance())
        first = station.mount.ring.find(18 * SAMPLE_RATE)
        assert len(check_one_stream(bytes(peer.received), checksums=False)) >= station.mount.ring.edge - first - 8
