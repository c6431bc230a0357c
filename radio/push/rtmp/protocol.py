"""Publishing over RTMP as a state machine: bytes in, bytes out, no I/O.

Sources: "Adobe's Real Time Messaging Protocol" 1.0, sections 5.2 (handshake), 5.4 and 7. The commands and their order
are those of ffmpeg and OBS: `releaseStream` and `FCPublish` stand in no specification, and services expect them.
"""

from __future__ import annotations

import struct
from enum import Enum, auto
from typing import Final

from radio.errors import StreamError
from radio.push.rtmp import amf
from radio.push.rtmp.chunks import SENT_CHUNK_SIZE, ChunkReader, ChunkWriter, RtmpMessage
from radio.push.rtmp.flv import AUDIO, DATA, VIDEO

_SET_SIZE, _ACKNOWLEDGED, _CONTROL, _WINDOW, _BANDWIDTH, _COMMAND3, _COMMAND = 1, 3, 4, 5, 6, 17, 20
_PING, _PONG = 6, 7
_CONTROL_CHANNEL, _COMMAND_CHANNEL = 2, 3
_CHANNELS: Final = {AUDIO: 4, VIDEO: 6, DATA: 5}
_HALF = 1_536
"""Bytes of C1, C2, S1 and S2."""
_CONNECT, _CREATE = 1, 4
"""Numbers of the commands whose answers matter."""


class PublishState(Enum):
    """How far a publisher has come."""

    GREETING = auto()
    CONNECTING = auto()
    CREATING = auto()
    ASKING = auto()
    LIVE = auto()


class Publisher:
    """Our side of one connection, from the handshake to the end of the stream.

    Args:
        app: The first part of the address's path, such as `live2`.
        address: The address without the key, as the server is told it.
        key: The stream's name, which is the secret with most services. It stands in what is sent and nowhere else.
        noise: 1528 random bytes for the handshake.
    """

    def __init__(self, *, app: str, address: str, key: str, noise: bytes) -> None:
        self.step = PublishState.GREETING
        self._app, self._address, self._key = app, address, key
        self._hello = bytes(8) + noise
        self._greeting = b""
        self._reader = ChunkReader()
        self._writer = ChunkWriter()
        self._stream = 0
        self._window = 0
        self._received = self._told = 0

    def begin(self) -> bytes:
        """What is sent first of all: C0 and C1."""
        return b"\x03" + self._hello

    def receive(self, data: bytes) -> bytes:
        """Take what came in; return what is to be sent for it.

        Raises:
            StreamError: The server refuses, or speaks something else; never with the key in it.
        """
        out = []
        if self.step is PublishState.GREETING:
            self._greeting += data
            if self._greeting[:1] not in {b"", b"\x03"}:
                raise StreamError("the server does not speak RTMP")
            if len(self._greeting) < 1 + 2 * _HALF:
                return b""
            data = self._greeting[1 + 2 * _HALF :]
            out += [self._greeting[1 : 1 + _HALF], self._connect()]
            self._greeting = b""
            self.step = PublishState.CONNECTING
        self._received += len(data)
        self._reader.feed(data)
        while message := self._reader.next():
            out.append(self._answer(message))
        if self._window and self._received - self._told >= self._window:
            self._told = self._received
            out.append(self._control(_ACKNOWLEDGED, struct.pack(">I", self._received & 0xFFFFFFFF)))
        return b"".join(out)

    def send(self, kind: int, time: int, body: bytes) -> bytes:
        """One message of a live stream: `kind` is flv.AUDIO, VIDEO or DATA, `time` in ms from 0."""
        if self.step is not PublishState.LIVE:
            raise StreamError("nothing can be sent before the server has accepted the stream")
        if kind == DATA:
            body = amf.encode("@setDataFrame") + body
        return self._writer.cut(_CHANNELS[kind], RtmpMessage(kind, self._stream, time, body))

    def end(self) -> bytes:
        """What takes leave of the server, so that the name is free at once."""
        if self.step is not PublishState.LIVE:
            return b""
        return self._command("FCUnpublish", 6, None, self._key) + self._command("deleteStream", 7, None, self._stream)

    def _connect(self) -> bytes:
        about: dict[str, amf.Value] = {
            "app": self._app,
            "type": "nonprivate",
            "flashVer": "FMLE/3.0 (compatible; radio)",
            "tcUrl": self._address,
        }
        size = self._control(_SET_SIZE, struct.pack(">I", SENT_CHUNK_SIZE))
        self._writer.size = SENT_CHUNK_SIZE
        return size + self._command("connect", _CONNECT, about)

    def _create(self) -> bytes:
        return (
            self._command("releaseStream", 2, None, self._key)
            + self._command("FCPublish", 3, None, self._key)
            + self._command("createStream", _CREATE, None)
        )

    def _answer(self, message: RtmpMessage) -> bytes:
        body = message.body
        if message.kind in {_COMMAND, _COMMAND3}:
            return self._obey(amf.decode(body[1:] if message.kind == _COMMAND3 else body))
        if message.kind not in {_SET_SIZE, _CONTROL, _WINDOW, _BANDWIDTH}:
            return b""
        if len(body) < (6 if message.kind == _CONTROL else 4):
            raise StreamError(f"the server sent a message of kind {message.kind} with {len(body)} bytes")
        (number,) = struct.unpack_from(">I", body)
        if message.kind == _SET_SIZE:
            if not 1 <= number <= 0x7FFFFFFF:
                raise StreamError(f"the server announced chunks of {number} bytes")
            self._reader.size = number
        elif message.kind == _WINDOW:
            self._window = number
        elif message.kind == _BANDWIDTH:
            return self._control(_WINDOW, struct.pack(">I", number))
        elif body[:2] == struct.pack(">H", _PING):
            return self._control(_CONTROL, struct.pack(">H", _PONG) + body[2:6])
        return b""

    def _obey(self, values: list[amf.Value]) -> bytes:
        name, number, *rest = (*values, None, None)[: max(2, len(values))]
        if name == "_error" and number in {_CONNECT, _CREATE}:
            raise StreamError(f"the server refuses: {_words(rest)}")
        if name == "_result" and number == _CONNECT and self.step is PublishState.CONNECTING:
            self.step = PublishState.CREATING
            return self._create()
        if name == "_result" and number == _CREATE and self.step is PublishState.CREATING:
            stream = rest[-1] if rest else None
            if not isinstance(stream, (int, float)) or not 0 <= stream < 2**32:
                raise StreamError("the server named no stream to publish to")
            self._stream, self.step = int(stream), PublishState.ASKING
            return self._command("publish", 5, None, self._key, "live", stream=self._stream)
        if name == "onStatus":
            about = next((each for each in rest if isinstance(each, dict)), {})
            if about.get("code") == "NetStream.Publish.Start":
                self.step = PublishState.LIVE
            elif about.get("level") == "error":
                raise StreamError(f"the server refuses the stream: {_words(rest)}")
        elif name == "close":
            raise StreamError("the server ends the stream")
        return b""

    def _command(self, name: str, number: int, *values: amf.Value, stream: int = 0) -> bytes:
        # On a channel the stream never changes, so what belongs to one has another.
        channel = _COMMAND_CHANNEL if stream == 0 else 8
        return self._writer.cut(channel, RtmpMessage(_COMMAND, stream, 0, amf.encode(name, number, *values)))

    def _control(self, kind: int, body: bytes) -> bytes:
        return self._writer.cut(_CONTROL_CHANNEL, RtmpMessage(kind, 0, 0, body))


def _words(values: list[amf.Value]) -> str:
    """What a status object says, in a line."""
    about = next((each for each in values if isinstance(each, dict)), {})
    words = [" ".join(str(about[name]).split()) for name in ("code", "description") if about.get(name)]
    return ": ".join(words) or "it does not say why"
