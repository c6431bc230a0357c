from __future__ import annotations

import contextlib
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import StreamError
from radio.station.resume import LogEntry, Resume, Snapshot
from radio.types import SKIP, Landing, Packet, StationEvent
from radio.worker.wire import (
    MAX_BODY,
    ChangeControls,
    CloseFormat,
    ControlsLanded,
    ControlsRefused,
    Cut,
    Encoded,
    EncoderFailed,
    Message,
    MessageDecoder,
    OpenFormat,
    PerformAction,
    Render,
    Rendered,
    Rewound,
    Start,
    StationFailed,
    StationReady,
    encode,
)

MESSAGES: list[Message] = [
    Start(b"\x80settings"),
    Start(
        b"", changes=(ChangeControls(-1, {"tempo": 72.5}, ({"tempo": 71}, {})), ChangeControls(-2, {"rain_mute": True}))
    ),
    Start(b"", Resume(b"state", (LogEntry(7, {"tempo": 71.5}), LogEntry(9, action=SKIP, level=b"x")), 5, 6, 2**40)),
    Snapshot(2**40, b"level", bytes(range(256))),
    Render(2**40, -1),
    PerformAction(8, "like", 3),
    PerformAction(9, "skip", None),
    ChangeControls(3, {"tempo": 78.5, "rain_mute": False}),
    ChangeControls(4, {"tempo": 76}, ({"tempo": 74.5}, {})),
    StationReady(-5),
    StationFailed("no soundfont at “there”"),
    StationFailed("no snapshot", in_snapshot=True),
    ControlsLanded(3, {"tempo": Landing(17, 1_920_000)}, 1_918_080),
    ControlsRefused(4, "tempo: 400 is not …", "tempo", "a number from 50 to 110 BPM"),
    Encoded("opus", Packet(960, 960, bytes(range(256)))),
    Encoded("pcm", Packet(-960, 960, b"")),
    StationEvent(4_800, "track", {"title": "Rain", "chords": ["Dm7", "G7"], "tempo": 80.0, "key": None}),
    OpenFormat("mp3", 2**40),
    OpenFormat("aac", -48_000),
    CloseFormat("aac"),
    Rendered(3_840),
    Rewound(-64),
    Cut(2**40, done=True),
    EncoderFailed("mp3", "the encoder “libmp3lame” failed"),
]
BYTES = b"".join(map(encode, MESSAGES))


def test_messages_are_decoded_from_all_bytes_together() -> None:
    assert MessageDecoder().feed(BYTES) == MESSAGES


def test_messages_are_decoded_byte_by_byte() -> None:
    decoder = MessageDecoder()
    assert [message for byte in BYTES for message in decoder.feed(bytes([byte]))] == MESSAGES


@given(st.lists(st.integers(0, len(BYTES)), max_size=12))
def test_messages_are_decoded_from_parts_of_any_size(cuts: list[int]) -> None:
    decoder = MessageDecoder()
    edges = [0, *sorted(cuts), len(BYTES)]
    pieces = [BYTES[a:b] for a, b in itertools.pairwise(edges)]
    assert [message for piece in pieces for message in decoder.feed(piece)] == MESSAGES


def test_an_incomplete_message_waits_for_its_rest() -> None:
    decoder = MessageDecoder()
    assert decoder.feed(BYTES + encode(Render(7, 5))[:-1]) == MESSAGES
    assert decoder.feed(encode(Render(7, 5))[-1:]) == [Render(7, 5)]


def test_the_longest_message_is_accepted_and_a_longer_one_refused() -> None:
    frame = len('["",false]')
    longest = StationFailed("a" * (MAX_BODY - frame))
    assert MessageDecoder().feed(encode(longest)) == [longest]
    with pytest.raises(StreamError, match="exceeds the limit"):
        encode(StationFailed("a" * (MAX_BODY - frame + 1)))


@pytest.mark.parametrize("length", [0, MAX_BODY + 2, 0xFFFFFFFF])
def test_an_invalid_length_is_refused_before_the_body_arrives(length: int) -> None:
    with pytest.raises(StreamError, match="invalid message length"):
        MessageDecoder().feed(struct.pack("<I", length))


@pytest.mark.parametrize(
    "body",
    [
        b"\x01",
        b"\x02{",
        b"\x02[]",
        b"\x05[1,[]]",
        b"\x07\x00",
        b"\x04\xff",
        b"\x08[1]",
        b"\x07\x09" + bytes(12),
        b'\x09["wav",0]',
        b'\x0a["wav"]',
        b"\x63",
        b"\x05[1,{},NaN]",
        b'\x0c["mp3",1e999]',
        b'\x08[0,"note",7]',
        b"\x02[3,[],[]]",
        b"\x02[3,{},[1]]",
        b"\x0f[3,null]",
    ],
)
def test_an_invalid_body_is_refused(body: bytes) -> None:
    with pytest.raises(StreamError, match=r"^invalid \w+ message|unknown kind of message"):
        MessageDecoder().feed(struct.pack("<I", len(body)) + body)


@given(st.binary(max_size=64))
def test_random_bytes_raise_only_stream_errors(data: bytes) -> None:
    with contextlib.suppress(StreamError):
        MessageDecoder().feed(data)
