from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import StreamError
from radio.push.rtmp.chunks import MAX_CHUNK_STREAMS, MAX_MESSAGE_BYTES, ChunkReader, ChunkWriter, RtmpMessage

MESSAGES = st.lists(
    st.tuples(st.sampled_from([2, 3, 6, 63]), st.integers(0, 20_000_000), st.binary(max_size=600)), max_size=8
)


def read(data: bytes, size: int, step: int) -> list[RtmpMessage]:
    reader = ChunkReader()
    reader.size = size
    messages = []
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
        while message := reader.next():
            messages.append(message)
    return messages


@given(MESSAGES, st.integers(1, 300))
def test_messages_are_reassembled_from_pieces_of_any_size(drawn: list[tuple[int, int, bytes]], size: int) -> None:
    writer = ChunkWriter()
    writer.size = size
    times: dict[int, int] = {}
    messages, parts = [], []
    for number, time, body in drawn:
        times[number] = max(times.get(number, 0), time)  # timestamps of a chunk stream never decrease
        message = RtmpMessage(9, number, times[number], body)
        messages.append(message)
        parts.append(writer.split(number, message))
    data = b"".join(parts)
    assert read(data, size, len(data) or 1) == read(data, size, 1) == read(data, size, 7) == messages


def test_chunks_of_two_messages_may_alternate() -> None:
    audio, video = ChunkWriter(), ChunkWriter()
    first = audio.split(4, RtmpMessage(8, 1, 10, b"a" * 200))
    second = video.split(6, RtmpMessage(9, 1, 20, b"b" * 100))
    cut = 12 + 128
    messages = read(first[:cut] + second + first[cut:], 128, 5)
    assert [(message.kind, message.time, len(message.body)) for message in messages] == [(9, 20, 100), (8, 10, 200)]


def test_a_stream_of_two_days_needs_no_extended_timestamp() -> None:
    writer = ChunkWriter()
    data = b"".join(writer.split(4, RtmpMessage(8, 1, hour * 3_600_000, b"x")) for hour in range(49))
    assert b"\xff\xff\xff" not in data
    assert read(data, 128, 3)[-1].time == 48 * 3_600_000


def test_chunk_stream_numbers_of_two_and_three_bytes() -> None:
    header = bytes(3) + (1).to_bytes(3, "big") + b"\x14" + bytes(4)
    for number in (b"\x00\x05", b"\x01\x05\x02"):
        assert read(number + header + b"!", 128, 1) == [RtmpMessage(20, 0, 0, b"!")]


def test_an_oversized_message_is_rejected() -> None:
    writer = ChunkWriter()
    with pytest.raises(StreamError, match="does not speak RTMP"):
        read(writer.split(3, RtmpMessage(20, 0, 0, bytes(MAX_MESSAGE_BYTES + 1))), 128, 4_096)


@pytest.mark.parametrize("time", [0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF])
def test_timestamps_of_0xffffff_and_above_are_extended(time: int) -> None:
    """Section 5.3.1.3: the field is 0xFFFFFF, and the full timestamp follows the header of each chunk."""
    message = RtmpMessage(8, 1, time, b"x" * 200)
    extended = time.to_bytes(4, "big") if time >= 0xFFFFFF else b""
    data = ChunkWriter().split(4, message)
    header = b"\x04" + min(time, 0xFFFFFF).to_bytes(3, "big") + b"\x00\x00\xc8\x08\x01\x00\x00\x00"
    assert data == header + extended + b"x" * 128 + b"\xc4" + extended + b"x" * 72
    assert read(data, 128, 1) == [message]


@pytest.mark.parametrize("delta", [0xFFFFFE, 0xFFFFFF, 0x1000000])
def test_timestamp_deltas_of_0xffffff_and_above_are_extended(delta: int) -> None:
    writer = ChunkWriter()
    messages = [RtmpMessage(8, 1, 1_000, b"a"), RtmpMessage(8, 1, 1_000 + delta, b"b")]
    first, second = (writer.split(4, message) for message in messages)
    extended = delta.to_bytes(4, "big") if delta >= 0xFFFFFF else b""
    assert second == b"\x44" + min(delta, 0xFFFFFF).to_bytes(3, "big") + b"\x00\x00\x01\x08" + extended + b"b"
    assert read(first + second, 128, 1) == messages


def test_timestamps_wrap_after_32_bits() -> None:
    writer = ChunkWriter()
    data = writer.split(4, RtmpMessage(8, 1, 0xFFFFFFFF, b"a")) + writer.split(
        4, RtmpMessage(8, 1, 0x1_0000_0009, b"b")
    )
    assert [message.time for message in read(data, 128, 1)] == [0xFFFFFFFF, 9]


def test_long_and_short_numbers_name_different_chunk_streams() -> None:
    """The one-byte form ends at 63, and the longer forms start at 64."""
    header = bytes(3) + (200).to_bytes(3, "big") + b"\x08" + bytes(4)
    last_short, first_long, the_same_long = b"\x3f", b"\x00\x00", b"\xc1\x00\x00"
    data = last_short + header + b"a" * 128 + first_long + header + b"b" * 128
    data += the_same_long + b"b" * 72 + b"\xff" + b"a" * 72
    assert [message.body for message in read(data, 128, 1)] == [b"b" * 200, b"a" * 200]


def test_too_many_chunk_streams_are_rejected() -> None:
    header = bytes(3) + (1).to_bytes(3, "big") + b"\x14" + bytes(4)
    data = b"".join(b"\x00" + bytes([number]) + header + b"!" for number in range(MAX_CHUNK_STREAMS + 2))
    with pytest.raises(StreamError, match="does not speak RTMP"):
        read(data, 128, len(data))
