from __future__ import annotations

from radio.stream.formats.muxers import open_muxer
from radio.stream.relay.mount import Mount
from radio.types import Packet
from tests.stream.ogg_reader import check_one_stream

FRAMES = 960


def packets(start: int, end: int, data: bytes) -> list[Packet]:
    return [Packet(frame, FRAMES, data) for frame in range(start, end, FRAMES)]


def test_packets_beyond_the_live_edge_are_replaced_within_one_stream() -> None:
    mount = Mount("opus", open_muxer("opus", title="", description=""))
    for packet in packets(0, 100 * FRAMES, b"old"):
        mount.add(packet)
    mount.advance(42 * FRAMES + 17)
    assert mount.ring.edge == 10
    mount.cut(50 * FRAMES + 100)
    assert mount.end == 50 * FRAMES
    for packet in packets(48 * FRAMES, 100 * FRAMES, b"new"):  # those that overlap are left out
        mount.add(packet)
    mount.advance(100 * FRAMES)
    data = mount.relay.headers + b"".join(chunk.data for chunk in mount.ring.slice(0, mount.ring.edge))
    pages = check_one_stream(data)
    assert [packet for page in pages for packet in page.packets] == [b"old"] * 50 + [b"new"] * 50


def test_released_packets_are_never_replaced() -> None:
    mount = Mount("mp3", open_muxer("mp3", title="", description=""))
    for packet in packets(0, 8 * FRAMES, b"old"):
        mount.add(packet)
    mount.advance(6 * FRAMES)
    mount.cut(0)
    assert mount.end == 6 * FRAMES
