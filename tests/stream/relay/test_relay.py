from __future__ import annotations

import pytest

from radio.stream.relay.relay import (
    ADVANCE_INTERVAL,
    LONG_BURST,
    MAX_CHUNKS,
    SHORT_CUSHION,
    TURNS,
    Relay,
)
from radio.types import BURST_LIMIT, SAMPLE_RATE
from tests.stream.audience import CHUNK, TURN, Clock, FakeStation, Peer, join
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
    assert len(peer.received) > 5 * largest


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


def stall(station: FakeStation, clock: Clock, seconds: float) -> None:
    """Advance the time without rendering anything."""
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


def test_a_listener_with_a_used_up_cushion_is_written_to_on_every_tick(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    station.run(40)
    peer = Peer(clock)
    listener = join(relay, peer, 14.0)
    station.run(5)
    assert listener.turn >= 0
    stall(station, clock, 14.0)
    station.run(TURN + 2)
    assert listener.turn < 0
    last = [time for time, _ in peer.sends if time > clock() - 2]
    assert len(last) >= 20
    assert listener.plays_until - clock() < SHORT_CUSHION
    station.check_pages(peer)


def test_a_burst_that_is_still_being_encoded_is_sent_as_fast_as_it_is_encoded(
    station: FakeStation, relay: Relay, clock: Clock
) -> None:
    """The station has played for 40 s, and past audio is encoded eight times faster than live audio."""
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
