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
    """A minimal RTMP server: the handshake and the commands that a publisher needs."""

    def __init__(self) -> None:
        self.publisher = Publisher(app="app", address="rtmp://host/app", key=KEY, noise=NOISE)
        self.writer = ChunkWriter()
        self.reader = ChunkReader()
        self.received: list[RtmpMessage] = []
        self.sent_bytes = 0
        """Bytes sent after the handshake."""

    def receive(self, data: bytes) -> None:
        self.reader.feed(data)
        while message := self.reader.next():
            if message.kind == 1:
                (self.reader.size,) = struct.unpack(">I", message.body)
            self.received.append(message)

    def commands(self) -> list[list[amf.Value]]:
        return [amf.decode(message.body) for message in self.received if message.kind == 20]

    def shake_hands(self) -> None:
        assert self.publisher.begin() == b"\x03" + bytes(8) + NOISE
        answer = self.publisher.receive(b"\x03" + b"1" * 1_536 + b"2" * 1_536)
        assert answer.startswith(b"1" * 1_536)
        self.receive(answer[1_536:])

    def send(self, *values: amf.Value, kind: int = 20, body: bytes | None = None) -> None:
        message = RtmpMessage(kind, 0, 0, amf.encode(*values) if body is None else body)
        data = self.writer.split(3, message)
        self.sent_bytes += len(data)
        self.receive(self.publisher.receive(data))

    def go_live(self) -> None:
        self.shake_hands()
        self.send("_result", 1, {"fmsVer": "x"}, {"level": "status", "code": "NetConnection.Connect.Success"})
        self.send("onBWDone", 0, None)
        self.send("_result", 4, None, 7)
        self.send("onStatus", 0, None, {"level": "status", "code": "NetStream.Publish.Start"})


def test_commands_lead_to_a_live_stream() -> None:
    server = Server()
    server.go_live()
    assert server.publisher.state is PublishState.LIVE
    names = [(command[0], *command[2:]) for command in server.commands()]
    properties = {
        "app": "app",
        "type": "nonprivate",
        "flashVer": "FMLE/3.0 (compatible; radio)",
        "tcUrl": "rtmp://host/app",
    }
    assert names == [
        ("connect", properties),
        ("releaseStream", None, KEY),
        ("FCPublish", None, KEY),
        ("createStream", None),
        ("publish", None, KEY, "live"),
    ]
    assert server.received[-1].stream == 7


def test_input_may_arrive_byte_by_byte() -> None:
    whole, slow = Server(), Server()
    whole.go_live()
    receive = slow.publisher.receive
    slow.publisher.receive = lambda data: b"".join(receive(data[n : n + 1]) for n in range(len(data)))  # type: ignore[method-assign]
    slow.go_live()
    assert slow.received == whole.received


def test_media_messages_have_the_stream_and_their_timestamps() -> None:
    server = Server()
    server.go_live()
    server.received.clear()
    server.receive(server.publisher.send(DATA, 0, amf.encode("onMetaData", {"width": 1280.0})))
    server.receive(server.publisher.send(VIDEO, 0, b"\x17" + bytes(9_000)))
    server.receive(server.publisher.send(AUDIO, 21, b"\xaf\x01"))
    server.receive(server.publisher.send(VIDEO, 33, b"\x27"))
    assert [(message.kind, message.stream, message.time, len(message.body)) for message in server.received[1:]] == [
        (VIDEO, 7, 0, 9_001),
        (AUDIO, 7, 21, 2),
        (VIDEO, 7, 33, 1),
    ]
    assert amf.decode(server.received[0].body) == ["@setDataFrame", "onMetaData", {"width": 1280.0}]


def test_end_closes_the_stream() -> None:
    server = Server()
    assert server.publisher.end() == b""
    server.go_live()
    server.receive(server.publisher.end())
    assert [(command[0], command[3]) for command in server.commands()[-2:]] == [
        ("FCUnpublish", KEY),
        ("deleteStream", 7),
    ]


def test_pings_are_answered_and_received_bytes_acknowledged() -> None:
    server = Server()
    server.go_live()
    server.received.clear()
    server.send(kind=4, body=struct.pack(">HI", 6, 1_234))
    assert server.received[-1] == RtmpMessage(4, 0, 0, struct.pack(">HI", 7, 1_234))
    server.send(kind=6, body=struct.pack(">IB", 5_000, 2))
    assert server.received[-1] == RtmpMessage(5, 0, 0, struct.pack(">I", 5_000))
    server.send(kind=5, body=struct.pack(">I", 100))
    server.send("onBWDone", 0, None, "x" * 90)
    assert server.received[-1] == RtmpMessage(3, 0, 0, struct.pack(">I", server.sent_bytes))


def test_received_bytes_are_acknowledged_once_per_window() -> None:
    server = Server()
    server.go_live()
    server.send(kind=5, body=struct.pack(">I", 100))
    server.send(kind=22, body=bytes(100))
    server.received.clear()
    server.send(kind=22, body=bytes(91))  # 99 bytes with the header
    assert server.received == []
    server.send(kind=22, body=b"")
    server.received.clear()
    server.send(kind=22, body=bytes(92))  # a full window
    assert server.received == [RtmpMessage(3, 0, 0, struct.pack(">I", server.sent_bytes))]


def test_commands_may_be_marked_as_amf3() -> None:
    server = Server()
    server.shake_hands()
    server.send(kind=17, body=b"\x00" + amf.encode("_result", 1, {}, {}))
    assert server.publisher.state is PublishState.CREATING_STREAM


@pytest.mark.parametrize("stream", [-1, 2**32, "7", None])
def test_an_invalid_stream_number_is_rejected(stream: amf.Value) -> None:
    server = Server()
    server.shake_hands()
    server.send("_result", 1, {}, {})
    with pytest.raises(StreamError, match="did not create a stream"):
        server.send("_result", 4, None, stream)


def test_the_server_may_set_its_chunk_size() -> None:
    server = Server()
    server.shake_hands()
    server.send(kind=1, body=struct.pack(">I", 4_000))
    server.writer.size = 4_000
    server.send("_result", 1, {"long": "x" * 3_000}, {})
    assert server.publisher.state is PublishState.CREATING_STREAM


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            ("_error", 1, None, {"code": "NetConnection.Connect.Rejected", "description": "no such\napp"}),
            "Rejected: no such app",
        ),
        (("_error", 4, None, None), "no reason given"),
        (("onStatus", 0, None, {"level": "error", "code": "NetStream.Publish.BadName"}), "Publish.BadName"),
        (("close", 0, None), "ended the stream"),
    ],
)
def test_a_rejection_is_reported_with_the_servers_text(values: tuple[amf.Value, ...], words: str) -> None:
    server = Server()
    server.shake_hands()
    with pytest.raises(StreamError, match=words):
        server.send(*values)


def test_irrelevant_messages_are_ignored() -> None:
    server = Server()
    server.shake_hands()
    server.send("_error", 2, None, {"code": "NetConnection.Call.Failed"})  # releaseStream may fail
    server.send("_result", 99, None)
    server.send("onFCPublish", 0, None)
    server.send(kind=22, body=b"whatever")
    assert server.publisher.state is PublishState.CONNECTING


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n", b"\x06" + bytes(3_072)])
def test_another_protocol_is_detected(data: bytes) -> None:
    with pytest.raises(StreamError, match="does not speak RTMP"):
        Server().publisher.receive(data)


@pytest.mark.parametrize("body", [struct.pack(">I", 0), b"\x00", struct.pack(">I", 0x80000000)])
def test_an_invalid_chunk_size_is_rejected(body: bytes) -> None:
    server = Server()
    server.shake_hands()
    with pytest.raises(StreamError):
        server.send(kind=1, body=body)


def test_send_raises_before_the_stream_is_live() -> None:
    server = Server()
    server.shake_hands()
    with pytest.raises(StreamError, match="has not accepted"):
        server.publisher.send(VIDEO, 0, b"\x17")
