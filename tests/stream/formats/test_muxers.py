from __future__ import annotations

from radio.stream.chunk import Chunk
from radio.stream.formats.muxers import PACKETS_PER_CHUNK, Muxer, open_muxer
from radio.types import Packet


def packets(count: int, start: int = 0, frames: int = 960) -> list[Packet]:
    return [Packet(start + frames * n, frames, bytes([n % 256]) * 9) for n in range(count)]


def plain() -> Muxer:
    return Muxer(lambda found: b"".join(packet.data for packet in found))


def fed(muxer: Muxer, found: list[Packet]) -> list[Chunk]:
    return [chunk for packet in found for chunk in muxer.add(packet)]


def test_every_packet_is_in_one_chunk_in_order() -> None:
    given = packets(41, start=5_000)
    muxer = plain()
    chunks = fed(muxer, given)
    assert [packet for chunk in chunks for packet in chunk.packets] == given[:40]
    assert {len(chunk.packets) for chunk in chunks} == {PACKETS_PER_CHUNK}
    assert all(chunk.data == b"".join(packet.data for packet in chunk.packets) for chunk in chunks)
    assert [chunk.frame for chunk in chunks] == [5_000 + 3_840 * n for n in range(10)]
    assert chunks[-1].end + 960 == muxer.end


def test_a_hole_ends_a_chunk() -> None:
    muxer = plain()
    chunks = fed(muxer, [*packets(6), *packets(6, start=100_000)])
    assert [(chunk.frame, chunk.end, len(chunk.packets)) for chunk in chunks] == [
        (0, 3_840, 4),
        (3_840, 5_760, 2),
        (100_000, 103_840, 4),
    ]


def test_what_is_there_already_is_left_out() -> None:
    muxer = plain()
    given = packets(12)
    chunks = fed(muxer, [*given[:6], *given[2:]])
    assert [packet for chunk in chunks for packet in chunk.packets] == given


def test_after_a_rest_it_begins_as_at_first() -> None:
    muxer = open_muxer("opus", title="T", description="D")
    fed(muxer, packets(6))
    muxer.restart()
    assert muxer.end is None
    (chunk,) = fed(muxer, packets(4, start=10_000_000))
    assert chunk.frame == 10_000_000
    assert int.from_bytes(chunk.data[6:14], "little") == 10_000_000 + 4 * 960


def test_each_format_has_its_form() -> None:
    given = packets(4)
    forms = {each: open_muxer(each, title="T", description="D") for each in ("opus", "mp3", "aac", "pcm")}
    data = {each: fed(muxer, given)[0].data for each, muxer in forms.items()}
    assert data["opus"].startswith(b"OggS")
    assert b"TITLE=T" in forms["opus"].headers
    assert data["mp3"] == b"".join(packet.data for packet in given)
    assert data["aac"].count(b"\xff\xf1") == 4
    assert data["pcm"] == b""
    assert not any(forms[each].headers for each in ("mp3", "aac", "pcm"))
