"""What the front and a station's worker say to each other: messages as bytes and back, without any I/O.

A message is its length (32 bits, little-endian, of what follows), one byte of kind, and a body.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, get_args

from radio.errors import StreamError
from radio.types import Format, Frames, JsonValue, Landing, Packet, StationEvent

MAX_BODY = 1 << 20
"""Longest body in bytes; the longest real one, a packet or an event, is a few thousand."""


@dataclass(frozen=True, slots=True)
class Start:
    """Front to worker, first of all: the pickled settings of the station to open."""

    settings: bytes


@dataclass(frozen=True, slots=True)
class Render:
    """Front to worker: render until the station's position is at least `until`, then wait."""

    until: Frames


@dataclass(frozen=True, slots=True)
class ChangeControls:
    """Front to worker: change controls; answered by `ControlsLanded` or `ControlsRefused` of the same `number`."""

    number: int
    patch: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class OpenFormat:
    """Front to worker: encode this format too, from `frame` on or from the oldest audio that is kept."""

    format: Format
    frame: Frames


@dataclass(frozen=True, slots=True)
class CloseFormat:
    """Front to worker: nobody listens to this format any more."""

    format: Format


@dataclass(frozen=True, slots=True)
class Encoded:
    """Worker to front: the next packet of a format."""

    format: Format
    packet: Packet


@dataclass(frozen=True, slots=True)
class Rendered:
    """Worker to front: all frames before `frame` are rendered, and encoded but for what encoders hold back."""

    frame: Frames


@dataclass(frozen=True, slots=True)
class EncoderFailed:
    """Worker to front: an encoder failed, and why; it is opened again without being asked."""

    format: Format
    message: str


@dataclass(frozen=True, slots=True)
class SkipTrack:
    """Server to worker: begin the next track; answered by `ControlsLanded` of the same `number`, naming `SKIPPED`."""

    number: int


SKIPPED = "track"


@dataclass(frozen=True, slots=True)
class StationReady:
    """Worker to front: the station is open and its first frame is `frame`."""

    frame: Frames


@dataclass(frozen=True, slots=True)
class StationFailed:
    """Worker to front: the station cannot be opened, and why."""

    message: str


@dataclass(frozen=True, slots=True)
class ControlsLanded:
    """Worker to front: where each of the changed controls takes effect."""

    number: int
    landings: Mapping[str, Landing]


@dataclass(frozen=True, slots=True)
class ControlsRefused:
    """Worker to front: nothing was changed, because `field` is not what is `allowed`."""

    number: int
    message: str
    field: str
    allowed: str


Message: TypeAlias = (
    Start
    | Render
    | ChangeControls
    | StationReady
    | StationFailed
    | ControlsLanded
    | ControlsRefused
    | Encoded
    | StationEvent
    | OpenFormat
    | CloseFormat
    | Rendered
    | EncoderFailed
    | SkipTrack
)

_LENGTH = struct.Struct("<I")
_FRAME = struct.Struct("<q")
_PACKET = struct.Struct("<BqI")
_FORMATS: tuple[Format, ...] = get_args(Format)
_KINDS: tuple[type[Message], ...] = get_args(Message)


def encode(message: Message) -> bytes:
    """The bytes of one message. Raises StreamError when it is too long for the other side to accept."""
    body = _body(message)
    if len(body) > MAX_BODY:
        raise StreamError(f"a {type(message).__name__} of {len(body)} bytes is longer than {MAX_BODY}")
    return _LENGTH.pack(len(body) + 1) + bytes([_KINDS.index(type(message))]) + body


class MessageDecoder:
    """Turns bytes, however they were cut on the way, back into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes.

        Raises:
            StreamError: A length or kind that no message has, or a body that does not parse.
        """
        self._buffer += data
        messages: list[Message] = []
        start = 0
        while len(self._buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, start)
            if not 1 <= length <= MAX_BODY + 1:
                raise StreamError(f"a message of {length} bytes: the other side speaks something else")
            end = start + _LENGTH.size + length
            if len(self._buffer) < end:
                break
            messages.append(_message(self._buffer[start + _LENGTH.size], bytes(self._buffer[start + 5 : end])))
            start = end
        del self._buffer[:start]
        return messages


def _body(message: Message) -> bytes:
    match message:
        case Encoded(format_, packet):
            return _PACKET.pack(_FORMATS.index(format_), packet.frame, packet.frames) + packet.data
        case Start():
            return message.settings
        case Render(number) | StationReady(number) | Rendered(number) | SkipTrack(number):
            return _FRAME.pack(number)
        case OpenFormat(format_, frame):
            return _json([format_, frame])
        case CloseFormat(format_):
            return _json([format_])
        case EncoderFailed(format_, text):
            return _json([format_, text])
        case StationFailed():
            return message.message.encode()
        case StationEvent():
            return _json([message.frame, message.kind, dict(message.data)])
        case ChangeControls():
            return _json([message.number, dict(message.patch)])
        case ControlsLanded():
            return _json([message.number, {name: [at.bar, at.frame] for name, at in message.landings.items()}])
        case ControlsRefused():
            return _json([message.number, message.message, message.field, message.allowed])


def _message(kind: int, body: bytes) -> Message:
    if kind >= len(_KINDS):
        raise StreamError(f"there is no message of kind {kind}")
    name = _KINDS[kind].__name__
    try:
        return _parse(_KINDS[kind], body)
    except (ValueError, TypeError, AttributeError, LookupError, struct.error) as error:
        raise StreamError(f"a {name} of {len(body)} bytes cannot be read: {error}") from error


def _parse(kind: type[Message], body: bytes) -> Message:
    if kind is Encoded:
        number, frame, frames = _PACKET.unpack_from(body)
        return Encoded(_FORMATS[number], Packet(frame, frames, body[_PACKET.size :]))
    if kind is Start:
        return Start(body)
    if kind in {Render, StationReady, Rendered, SkipTrack}:
        return kind(*_FRAME.unpack(body))
    if kind is StationFailed:
        return StationFailed(body.decode())
    if kind is ControlsLanded:
        number, landings = json.loads(body)
        return ControlsLanded(number, {name: Landing(*landing) for name, landing in landings.items()})
    fields = json.loads(body)
    if kind in {OpenFormat, CloseFormat, EncoderFailed} and fields[0] not in _FORMATS:
        raise ValueError(f"there is no format {fields[0]}")
    return kind(*fields)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
