"""Publishing over RTMP as a state machine: bytes in, bytes out, no I/O.

Source: "Adobe's Real Time Messaging Protocol" 1.0, sections 5.2 (handshake), 5.4 and 7. The commands and their order
are those of ffmpeg and OBS. No specification describes `releaseStream` and `FCPublish`, but services expect them.
"""

from __future__ import annotations

import struct
from enum import Enum, auto
from typing import Final

from radio.errors import StreamError
from radio.push.rtmp import amf
from radio.push.rtmp.adobe_auth import LoginNeededError
from radio.push.rtmp.chunks import SENT_CHUNK_SIZE, ChunkReader, ChunkWriter, RtmpMessage
from radio.push.rtmp.flv import AUDIO, DATA, VIDEO

_SET_CHUNK_SIZE, _ACKNOWLEDGEMENT, _USER_CONTROL, _WINDOW_SIZE, _PEER_BANDWIDTH = 1, 3, 4, 5, 6
_COMMAND_AMF3, _COMMAND = 17, 20
"""Types of messages."""
_PING_REQUEST, _PING_RESPONSE = 6, 7
"""Types of user control events."""
_CONTROL_CHUNK_STREAM, _COMMAND_CHUNK_STREAM, _PUBLISH_CHUNK_STREAM = 2, 3, 8
_MEDIA_CHUNK_STREAMS: Final = {AUDIO: 4, VIDEO: 6, DATA: 5}
"""Numbers of chunk streams."""
_HANDSHAKE_SIZE = 1_536
"""Bytes of each of C1, C2, S1 and S2."""
_CONNECT, _CREATE_STREAM = 1, 4
"""Transaction ids of the commands whose answers matter."""


class PublishState(Enum):
    """The progress of a publisher: each state waits for the server's next answer."""

    HANDSHAKE = auto()
    CONNECTING = auto()
    CREATING_STREAM = auto()
    PUBLISHING = auto()
    LIVE = auto()


class Publisher:
    """The client side of one connection, from the handshake to the end of the stream.

    Args:
        app: The application, the first part of the address's path, such as `live2`.
        address: The address without the key, sent to the server as `tcUrl`.
        key: The stream's name, with most services a secret. It occurs only in sent bytes, never in a log or an error.
        noise: 1,528 random bytes for the handshake.
    """

    def __init__(self, *, app: str, address: str, key: str, noise: bytes) -> None:
        self.state = PublishState.HANDSHAKE
        self._app, self._address, self._key = app, address, key
        self._client_hello = bytes(8) + noise
        self._server_hello = b""
        self._reader = ChunkReader()
        self._writer = ChunkWriter()
        self._stream = 0
        self._window = 0
        self._received = self._received_reported = 0

    def begin(self) -> bytes:
        """Return the first bytes to send, C0 and C1."""
        return b"\x03" + self._client_hello

    def receive(self, data: bytes) -> bytes:
        """Process received bytes and return the bytes to send in answer.

        Raises:
            StreamError: The server rejects the stream or does not speak RTMP. The message never contains the key.
        """
        out = []
        if self.state is PublishState.HANDSHAKE:
            self._server_hello += data
            if self._server_hello[:1] not in {b"", b"\x03"}:
                raise StreamError("the server does not speak RTMP")
            if len(self._server_hello) < 1 + 2 * _HANDSHAKE_SIZE:
                return b""
            data = self._server_hello[1 + 2 * _HANDSHAKE_SIZE :]
            out += [self._server_hello[1 : 1 + _HANDSHAKE_SIZE], self._connect()]
            self._server_hello = b""
            self.state = PublishState.CONNECTING
        self._received += len(data)
        self._reader.feed(data)
        while message := self._reader.next():
            out.append(self._answer(message))
        if self._window and self._received - self._received_reported >= self._window:
            self._received_reported = self._received
            out.append(self._control(_ACKNOWLEDGEMENT, struct.pack(">I", self._received & 0xFFFFFFFF)))
        return b"".join(out)

    def send(self, kind: int, time: int, body: bytes) -> bytes:
        """Return the bytes of one media message; `kind` is flv.AUDIO, VIDEO or DATA, and `time` is in ms from 0."""
        if self.state is not PublishState.LIVE:
            raise StreamError("the server has not accepted the stream yet")
        if kind == DATA:
            body = amf.encode("@setDataFrame") + body
        return self._writer.split(_MEDIA_CHUNK_STREAMS[kind], RtmpMessage(kind, self._stream, time, body))

    def end(self) -> bytes:
        """Return the messages that close the session and free the stream name."""
        if self.state is not PublishState.LIVE:
            return b""
        return self._command("FCUnpublish", 6, None, self._key) + self._command("deleteStream", 7, None, self._stream)

    def _connect(self) -> bytes:
        properties: dict[str, amf.Value] = {
            "app": self._app,
            "type": "nonprivate",
            "flashVer": "FMLE/3.0 (compatible; radio)",
            "tcUrl": self._address,
        }
        announcement = self._control(_SET_CHUNK_SIZE, struct.pack(">I", SENT_CHUNK_SIZE))
        self._writer.size = SENT_CHUNK_SIZE
        return announcement + self._command("connect", _CONNECT, properties)

    def _create(self) -> bytes:
        return (
            self._command("releaseStream", 2, None, self._key)
            + self._command("FCPublish", 3, None, self._key)
            + self._command("createStream", _CREATE_STREAM, None)
        )

    def _answer(self, message: RtmpMessage) -> bytes:
        body = message.body
        if message.kind in {_COMMAND, _COMMAND_AMF3}:
            return self._on_command(amf.decode(body[1:] if message.kind == _COMMAND_AMF3 else body))
        if message.kind not in {_SET_CHUNK_SIZE, _USER_CONTROL, _WINDOW_SIZE, _PEER_BANDWIDTH}:
            return b""
        if len(body) < (6 if message.kind == _USER_CONTROL else 4):
            raise StreamError(f"the server sent a message of type {message.kind} with {len(body)} bytes")
        (number,) = struct.unpack_from(">I", body)
        if message.kind == _SET_CHUNK_SIZE:
            if not 1 <= number <= 0x7FFFFFFF:
                raise StreamError(f"the server announced an invalid chunk size of {number} bytes")
            self._reader.size = number
        elif message.kind == _WINDOW_SIZE:
            self._window = number
        elif message.kind == _PEER_BANDWIDTH:
            return self._control(_WINDOW_SIZE, struct.pack(">I", number))
        elif body[:2] == struct.pack(">H", _PING_REQUEST):
            return self._control(_USER_CONTROL, struct.pack(">H", _PING_RESPONSE) + body[2:6])
        return b""

    def _on_command(self, values: list[amf.Value]) -> bytes:
        name, number, *rest = (*values, None, None)[: max(2, len(values))]
        if name == "_error" and number in {_CONNECT, _CREATE_STREAM}:
            reason = _description(rest)
            if number == _CONNECT and "authmod=adobe" in reason:
                raise LoginNeededError(reason)
            raise StreamError(f"the server rejects the connection: {reason}")
        if name == "_result" and number == _CONNECT and self.state is PublishState.CONNECTING:
            self.state = PublishState.CREATING_STREAM
            return self._create()
        if name == "_result" and number == _CREATE_STREAM and self.state is PublishState.CREATING_STREAM:
            stream = rest[-1] if rest else None
            if not isinstance(stream, (int, float)) or not 0 <= stream < 2**32:
                raise StreamError("the server did not create a stream to publish to")
            self._stream, self.state = int(stream), PublishState.PUBLISHING
            return self._command("publish", 5, None, self._key, "live", stream=self._stream)
        if name == "onStatus":
            status = _status(rest)
            if status.get("code") == "NetStream.Publish.Start":
                self.state = PublishState.LIVE
            elif status.get("level") == "error":
                raise StreamError(f"the server rejects the stream: {_description(rest)}")
        elif name == "close":
            raise StreamError("the server ended the stream")
        return b""

    def _command(self, name: str, number: int, *values: amf.Value, stream: int = 0) -> bytes:
        # A chunk stream belongs to one message stream, so commands to the created stream use a separate one.
        chunk_stream = _COMMAND_CHUNK_STREAM if stream == 0 else _PUBLISH_CHUNK_STREAM
        return self._writer.split(chunk_stream, RtmpMessage(_COMMAND, stream, 0, amf.encode(name, number, *values)))

    def _control(self, kind: int, body: bytes) -> bytes:
        return self._writer.split(_CONTROL_CHUNK_STREAM, RtmpMessage(kind, 0, 0, body))


def _description(values: list[amf.Value]) -> str:
    """Return the code and the description of a status object on one line."""
    status = _status(values)
    words = [" ".join(str(status[name]).split()) for name in ("code", "description") if status.get(name)]
    return ": ".join(words) or "no reason given"


def _status(values: list[amf.Value]) -> dict[str, amf.Value]:
    """Return the first object among a command's arguments."""
    return next((value for value in values if isinstance(value, dict)), {})
