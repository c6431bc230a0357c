from __future__ import annotations

import asyncio

import pytest

from radio.errors import StreamError
from radio.stream.formats.muxers import open_muxer
from radio.stream.relay.mount import LINGER, Mount
from radio.stream.relay.tap import Tap
from radio.types import SAMPLE_RATE, Packet

PACKET = 960


@pytest.fixture
def mount() -> Mount:
    return Mount("pcm", open_muxer("pcm", title="", description=""))


def feed(mount: Mount, start: int, end: int) -> list[Packet]:
    packets = [Packet(frame, PACKET, b"x") for frame in range(start, end, PACKET)]
    for packet in packets:
        mount.add(packet)
    return packets


async def take(tap: Tap, count: int) -> list[Packet]:
    async with asyncio.timeout(60):
        return [await anext(tap) for _ in range(count)]


async def is_waiting(tap: Tap) -> bool:
    task = asyncio.ensure_future(anext(tap))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting = not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return waiting


async def test_packets_arrive_when_they_are_due(mount: Mount) -> None:
    packets = feed(mount, 0, 100 * PACKET)
    tap = mount.tap(0)
    assert await is_waiting(tap)
    mount.advance(40 * PACKET)
    assert await take(tap, 40) == packets[:40]
    assert await is_waiting(tap)
    waiting = asyncio.ensure_future(take(tap, 4))
    await asyncio.sleep(0)
    mount.advance(44 * PACKET)
    assert await waiting == packets[40:44]


async def test_a_tap_starts_with_history(mount: Mount) -> None:
    packets = feed(mount, 0, 400 * PACKET)
    mount.advance(400 * PACKET)
    assert (await take(mount.tap(200 * PACKET), 3)) == packets[200:203]
    assert await is_waiting(mount.tap(400 * PACKET))


async def test_a_tap_waits_for_history_that_is_being_encoded(mount: Mount) -> None:
    mount.advance(400 * PACKET)
    tap = mount.tap(300 * PACKET)
    feed(mount, 0, 200 * PACKET)
    mount.advance(401 * PACKET)
    assert await is_waiting(tap)
    feed(mount, 200 * PACKET, 400 * PACKET)
    mount.advance(402 * PACKET)
    assert [packet.frame for packet in await take(tap, 2)] == [300 * PACKET, 301 * PACKET]


async def test_a_reader_that_falls_behind_gets_an_error(mount: Mount) -> None:
    slow, good = mount.tap(0), mount.tap(0)
    for second in range(120):
        feed(mount, second * SAMPLE_RATE, (second + 1) * SAMPLE_RATE)
        mount.advance((second + 1) * SAMPLE_RATE)
        await take(good, 48)
        if second == 0:
            await take(slow, 4)
    with pytest.raises(StreamError, match="fell behind"):
        await take(slow, 4)


async def test_a_tap_ends_with_its_mount(mount: Mount) -> None:
    packets = feed(mount, 0, 8 * PACKET)
    tap = mount.tap(0)
    mount.advance(8 * PACKET)
    reading = asyncio.ensure_future(_all(tap))
    await asyncio.sleep(0)
    mount.close()
    assert await asyncio.wait_for(reading, 60) == packets


async def _all(tap: Tap) -> list[Packet]:
    return [packet async for packet in tap]


async def test_a_tap_of_a_closed_mount_ends_immediately(mount: Mount) -> None:
    mount.close()
    async with asyncio.timeout(60):
        assert [packet async for packet in mount.tap(0)] == []


async def test_a_mount_is_needed_while_it_has_taps_and_for_a_while_afterward() -> None:
    now = [0.0]
    mount = Mount("pcm", open_muxer("pcm", title="", description=""), now=lambda: now[0])
    assert not mount.needed
    tap = mount.tap(0)
    now[0] = 1_000.0
    assert mount.needed
    mount.encoding = True
    mount.untap(tap)
    now[0] += LINGER
    assert mount.needed
    now[0] += 0.1
    assert not mount.needed
