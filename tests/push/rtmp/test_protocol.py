from __future__ import annotations

import struct

import pytest

from radio.errors import StreamError
from radio.push.rtmp import amf
from radio.push.rtmp.chunks import ChunkReader, ChunkWriter, RtmpMessage
from radio.push.rtmp.flv import AUDIO, DATA, VIDEO
from radio.push.rtmp.protocol import Publisher, PublishState

KEY = "live_s3cret"
NOISE = bytes(range(256)) * 5 + bytes(248)


class Server:
    """The other side of the handshake and the commands, as little of it as a publisher needs."""

    def __init__(self) -> None:
        self.publisher = Publisher(app="app", address="rtmp://host/app", key=KEY, noise=NOISE)
        self.writer = ChunkWriter()
        self.reader = ChunkReader()
        self.got: list[RtmpMessage] = []

    def hear(self, data: bytes) -> None:
        self.reader.feed(data)
        while message := self.reader.next():
            if message.kind == 1:
                (self.reader.size,) = struct.unpack(">I", message.body)
            self.got.append(message)

    def commands(self) -> list[list[amf.Value]]:
        return [amf.decode(message.body) for message in self.got if message.kind == 20]

    def greet(self) -> None:
        assert self.publisher.begin() == b"\x03" + bytes(8) + NOISE
        answer = self.publisher.receive(b"\x03" + b"1" * 1_536 + b"2" * 1_536)
        assert answer.startswith(b"1" * 1_536)
        self.hear(answer[1_536:])

    def say(self, *values: amf.Value, kind: int = 20, body: bytes | None = None) -> None:
        message = RtmpMessage(kind, 0, 0, amf.encode(*values) if body is None else body)
        self.hear(self.publisher.receive(self.writer.cut(3, message)))

    def go_live(self) -> None:
        self.greet()
        self.say("_result", 1, {"fmsVer": "x"}, {"level": "status", "code": "NetConnection.Connect.Success"})
        self.say("onBWDone", 0, None)
        self.say("_result", 4, None, 7)
        self.say("onStatus", 0, None, {"level": "status", "code": "NetStream.Publish.Start"})


def test_the_way_to_a_live_stream() -> None:
    server = Server()
    server.go_live()
    assert server.publisher.step is PublishState.LIVE
    names = [(command[0], *command[2:]) for command in server.commands()]
    about = {"app": "app", "type": "nonprivate", "flashVer": "FMLE/3.0 (compatible; radio)", "tcUrl": "rtmp://host/app"}
    assert names == [
        ("connect", about),
        ("releaseStream", None, KEY),
        ("FCPublish", None, KEY),
        ("createStream", None),
        ("publish", None, KEY, "live"),
    ]
    assert server.got[-1].stream == 7


def test_byte_by_byte_is_the_same() -> None:
    whole, slow = Server(), Server()
    whole.go_live()
    receive = slow.publisher.receive
    slow.publisher.receive = lambda data: b"".join(receive(data[n : n + 1]) for n in range(len(data)))  # type: ignore[method-assign]
    slow.go_live()
    assert slow.got == whole.got


def test_media_goes_to_the_stream_with_its_times() -> None:
    server = Server()
    server.go_live()
    server.got.clear()
    server.hear(server.publisher.send(DATA, 0, amf.encode("onMetaData", {"width": 1280.0})))
    server.hear(server.publisher.send(VIDEO, 0, b"\x17" + bytes(9_000)))
    server.hear(server.publisher.send(AUDIO, 21, b"\xaf\x01"))
    server.hear(server.publisher.send(VIDEO, 33, b"\x27"))
    assert [(message.kind, message.stream, message.time, len(message.body)) for message in server.got[1:]] == [
        (VIDEO, 7, 0, 9_001),
        (AUDIO, 7, 21, 2),
        (VIDEO, 7, 33, 1),
    ]
    assert amf.decode(server.got[0].body) == ["@setDataFrame", "onMetaData", {"width": 1280.0}]


def test_it_takes_leave() -> None:
    server = Server()
    assert server.publisher.end() == b""
    server.go_live()
    server.hear(server.publisher.end())
    assert [(command[0], command[3]) for command in server.commands()[-2:]] == [
        ("FCUnpublish", KEY),
        ("deleteStream", 7),
    ]


def test_pings_are_answered_and_bytes_acknowledged() -> None:
    server = Server()
    server.go_live()
    server.got.clear()
    server.say(kind=4, body=struct.pack(">HI", 6, 1_234))
    assert server.got[-1] == RtmpMessage(4, 0, 0, struct.pack(">HI", 7, 1_234))
    server.say(kind=6, body=struct.pack(">IB", 5_000, 2))
    assert server.got[-1].kind == 5
    server.say(kind=5, body=struct.pack(">I", 100))
    server.say("onBWDone", 0, None, "x" * 90)
    assert server.got[-1].kind == 3


def test_the_servers_chunks_may_be_of_another_size() -> None:
    server = Server()
    server.greet()
    server.say(kind=1, body=struct.pack(">I", 4_000))
    server.writer.size = 4_000
    server.say("_result", 1, {"long": "x" * 3_000}, {})
    assert server.publisher.step is PublishState.CREATING


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            ("_error", 1, None, {"code": "NetConnection.Connect.Rejected", "description": "no such\napp"}),
            "Rejected: no such app",
        ),
        (("_error", 4, None, None), "does not say why"),
        (("onStatus", 0, None, {"level": "error", "code": "NetStream.Publish.BadName"}), "Publish.BadName"),
        (("close", 0, None), "ends the stream"),
    ],
)
def test_a_refusal_is_told_in_the_servers_words(values: tuple[amf.Value, ...], words: str) -> None:
    server = Server()
    server.greet()
    with pytest.raises(StreamError, match=words):
        server.say(*values)


def test_what_matters_to_nobody_is_passed_over() -> None:
    server = Server()
    server.greet()
    server.say("_error", 2, None, {"code": "NetConnection.Call.Failed"})  # releaseStream is a courtesy
    server.say("_result", 99, None)
    server.say("onFCPublish", 0, None)
    server.say(kind=22, body=b"whatever")
    assert server.publisher.step is PublishState.CONNECTING


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n", b"\x06" + bytes(3_072)])
def test_a_server_of_another_kind_is_told_apart(data: bytes) -> None:
    with pytest.raises(StreamError, match="does not speak RTMP"):
        Server().publisher.receive(data)


@pytest.mark.parametrize("body", [struct.pack(">I", 0), b"\x00", struct.pack(">I", 0x80000000)])
def test_an_absurd_chunk_size_is_refused(body: bytes) -> None:
    server = Server()
    server.greet()
    with pytest.raises(StreamError):
        server.say(kind=1, body=body)


def test_nothing_is_sent_before_the_stream_is_live() -> None:
    server = Server()
    server.greet()
    with pytest.raises(StreamError, match="accepted"):
        server.publisher.send(VIDEO, 0, b"\x17")
