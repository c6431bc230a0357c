from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import StreamError
from radio.push.rtmp.chunks import MAX_MESSAGE_BYTES, ChunkReader, ChunkWriter, RtmpMessage

MESSAGES = st.lists(
    st.tuples(st.sampled_from([2, 3, 6, 63]), st.integers(0, 20_000_000), st.binary(max_size=600)), max_size=8
)


def read(data: bytes, size: int, step: int) -> list[RtmpMessage]:
    reader = ChunkReader()
    reader.size = size
    found = []
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
        while message := reader.next():
            found.append(message)
    return found


@given(MESSAGES, st.integers(1, 300))
def test_messages_come_back_whole_however_they_are_cut(drawn: list[tuple[int, int, bytes]], size: int) -> None:
    writer = ChunkWriter()
    writer.size = size
    times: dict[int, int] = {}
    messages, parts = [], []
    for channel, time, body in drawn:
        times[channel] = max(times.get(channel, 0), time)  # on a channel, times never go back
        message = RtmpMessage(9, channel, times[channel], body)
        messages.append(message)
        parts.append(writer.cut(channel, message))
    data = b"".join(parts)
    assert read(data, size, len(data) or 1) == read(data, size, 1) == read(data, size, 7) == messages


def test_channels_may_take_turns_in_the_middle_of_messages() -> None:
    one, other = ChunkWriter(), ChunkWriter()
    first = one.cut(4, RtmpMessage(8, 1, 10, b"a" * 200))
    second = other.cut(6, RtmpMessage(9, 1, 20, b"b" * 100))
    cut = 12 + 128
    found = read(first[:cut] + second + first[cut:], 128, 5)
    assert [(message.kind, message.time, len(message.body)) for message in found] == [(9, 20, 100), (8, 10, 200)]


def test_a_stream_of_days_never_needs_a_long_time() -> None:
    writer = ChunkWriter()
    data = b"".join(writer.cut(4, RtmpMessage(8, 1, hour * 3_600_000, b"x")) for hour in range(49))
    assert b"\xff\xff\xff" not in data
    assert read(data, 128, 3)[-1].time == 48 * 3_600_000


def test_numbers_of_channels_in_two_and_three_bytes() -> None:
    head = bytes(3) + (1).to_bytes(3, "big") + b"\x14" + bytes(4)
    for number in (b"\x00\x05", b"\x01\x05\x02"):
        assert read(number + head + b"!", 128, 1) == [RtmpMessage(20, 0, 0, b"!")]


def test_a_message_that_nothing_needs_is_refused() -> None:
    writer = ChunkWriter()
    with pytest.raises(StreamError, match="speaks something else"):
        read(writer.cut(3, RtmpMessage(20, 0, 0, bytes(MAX_MESSAGE_BYTES + 1))), 128, 4_096)
