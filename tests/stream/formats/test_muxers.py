from __future__ import annotations

from radio.stream.chunk import Chunk
from radio.stream.formats.muxers import PACKETS_PER_CHUNK, Muxer, open_muxer
from radio.types import Packet


def make_packets(count: int, start: int = 0, frames: int = 960) -> list[Packet]:
    return [Packet(start + frames * n, frames, bytes([n % 256]) * 9) for n in range(count)]


def plain_muxer() -> Muxer:
    return Muxer(lambda packets: b"".join(packet.data for packet in packets))


def feed(muxer: Muxer, packets: list[Packet]) -> list[Chunk]:
    return [chunk for packet in packets for chunk in muxer.add(packet)]


def test_packets_are_grouped_into_chunks_in_order() -> None:
    packets = make_packets(41, start=5_000)
    muxer = plain_muxer()
    chunks = feed(muxer, packets)
    assert [packet for chunk in chunks for packet in chunk.packets] == packets[:40]
    assert {len(chunk.packets) for chunk in chunks} == {PACKETS_PER_CHUNK}
    assert all(chunk.data == b"".join(packet.data for packet in chunk.packets) for chunk in chunks)
    assert [chunk.frame for chunk in chunks] == [5_000 + 3_840 * n for n in range(10)]
    assert chunks[-1].end + 960 == muxer.end


def test_a_gap_ends_a_chunk() -> None:
    muxer = plain_muxer()
    chunks = feed(muxer, [*make_packets(6), *make_packets(6, start=100_000)])
    assert [(chunk.frame, chunk.end, len(chunk.packets)) for chunk in chunks] == [
        (0, 3_840, 4),
        (3_840, 5_760, 2),
        (100_000, 103_840, 4),
    ]


def test_overlapping_packets_are_left_out() -> None:
    muxer = plain_muxer()
    packets = make_packets(12)
    chunks = feed(muxer, [*packets[:6], *packets[2:]])
    assert [packet for chunk in chunks for packet in chunk.packets] == packets


def test_after_a_restart_granule_positions_follow_the_frames() -> None:
    muxer = open_muxer("opus", title="T", description="D")
    feed(muxer, make_packets(6))
    muxer.restart()
    assert muxer.end is None
    (chunk,) = feed(muxer, make_packets(4, start=10_000_000))
    assert chunk.frame == 10_000_000
    assert int.from_bytes(chunk.data[6:14], "little") == 10_000_000 + 4 * 960


def test_changed_headers_belong_to_the_same_stream() -> None:
    muxer = open_muxer("opus", title="T", description="D")
    serial = muxer.headers[14:18]
    muxer.describe("Renamed", "D")
    assert b"TITLE=Renamed" in muxer.headers
    (chunk,) = feed(muxer, make_packets(4))
    assert muxer.headers[14:18] == chunk.data[14:18] == serial


def test_each_format_has_its_own_framing() -> None:
    packets = make_packets(4)
    muxers = {name: open_muxer(name, title="T", description="D") for name in ("opus", "mp3", "aac", "pcm")}
    data = {name: feed(muxer, packets)[0].data for name, muxer in muxers.items()}
    assert data["opus"].startswith(b"OggS")
    assert b"TITLE=T" in muxers["opus"].headers
    assert data["mp3"] == b"".join(packet.data for packet in packets)
    assert data["aac"].count(b"\xff\xf1") == 4
    assert data["pcm"] == b""
    assert not any(muxers[name].headers for name in ("mp3", "aac", "pcm"))
