"""The wire format between the server and a station's worker: messages to bytes and back, without I/O.

A message consists of the length of the rest (32 bits, little-endian), a byte for its kind, and a body.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, TypeAlias, get_args

import msgspec

from radio.errors import StreamError
from radio.station.fallback_plan import Fallback
from radio.station.resume import Resume, Snapshot
from radio.types import ActionKind, Format, Frames, JsonValue, Landing, Packet, StationEvent

MAX_BODY = 1 << 24
"""Longest body in bytes. The longest in practice, a snapshot, has half a million bytes with the shipped models."""


@dataclass(frozen=True, slots=True)
class Start:
    """Server to worker, the first message: open the station with these pickled settings, and continue from `resume`.

    files: inherited descriptors of copies of files, by path. ring: inherited descriptor of the memory for the latest
    audio. fallback: what to play instead of music; the ring is then read, not written. changes: changes to make at
    `resume.frame`; the answers follow `StationReady`.
    """

    settings: bytes
    resume: Resume | None = None
    files: Mapping[str, int] = field(default_factory=dict)
    ring: int | None = None
    fallback: Fallback | None = None
    changes: tuple[ChangeControls, ...] = ()


@dataclass(frozen=True, slots=True)
class Render:
    """Server to worker: render until the station's position is at least `until`, then wait.

    fixed: audio before this frame must not be replaced by a change of the station; later audio is rendered again.
    """

    until: Frames
    fixed: Frames


@dataclass(frozen=True, slots=True)
class Rewound:
    """Worker to server: because of a change, the station has rendered different audio from `frame` onward.

    The worker waits for the answer, `Cut`.
    """

    frame: Frames


@dataclass(frozen=True, slots=True)
class Cut:
    """Server to worker, the answer to `Rewound`: `done` is True if the server has dropped the old audio.

    If it is False, the live edge was too near, and the station must rewind to a later frame, at `fixed` or after it.
    """

    fixed: Frames
    done: bool


@dataclass(frozen=True, slots=True)
class ChangeControls:
    """Server to worker: change controls. The answer, `ControlsLanded` or `ControlsRefused`, has the same `number`.

    later: changes for the bars after that, in order.
    """

    number: int
    patch: Mapping[str, Any]
    later: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class OpenFormat:
    """Server to worker: encode this format, from `frame` or else from the oldest available audio."""

    format: Format
    frame: Frames


@dataclass(frozen=True, slots=True)
class CloseFormat:
    """Server to worker: stop encoding this format."""

    format: Format


@dataclass(frozen=True, slots=True)
class Encoded:
    """Worker to server: the next packet of a format."""

    format: Format
    packet: Packet


@dataclass(frozen=True, slots=True)
class Rendered:
    """Worker to server: all audio before `frame` is rendered and, apart from the encoders' delay, encoded."""

    frame: Frames


@dataclass(frozen=True, slots=True)
class EncoderFailed:
    """Worker to server: an encoder failed, for the given reason. The worker will reopen it."""

    format: Format
    message: str


@dataclass(frozen=True, slots=True)
class PerformAction:
    """Server to worker: perform a listener's action.

    The answer is `ControlsLanded` with the single key `PERFORMED`, or `ControlsRefused`.
    """

    number: int
    kind: ActionKind
    track: int | None


@dataclass(frozen=True, slots=True)
class PrimeStation:
    """Server to worker: use this prime. The answer is `ControlsLanded` with the keys `PRIMED` and `TRACK`."""

    number: int
    prime: Mapping[str, JsonValue]


PRIMED = "prime"
"""The key of the landing at which a prime takes effect."""

TRACK = "track"
"""The key of the landing at which the first track that uses the prime begins."""

PERFORMED = "action"
"""The key of the landing in the answer to `PerformAction`."""


@dataclass(frozen=True, slots=True)
class StationReady:
    """Worker to server: the station is open and its first frame is `frame`."""

    frame: Frames


@dataclass(frozen=True, slots=True)
class StationFailed:
    """Worker to server: the station cannot be opened, for the given reason. in_snapshot: the snapshot is the cause."""

    message: str
    in_snapshot: bool = False


@dataclass(frozen=True, slots=True)
class StationBroke:
    """Worker to server: the station cannot continue, for the given reason. The worker ends.

    fault: silent, stuck or not finite if the sound is at fault, otherwise failed. frame: the frame at which the fault
    begins; None if all sent audio is good.
    """

    message: str
    fault: str
    frame: Frames | None


@dataclass(frozen=True, slots=True)
class ControlsLanded:
    """Worker to server: the bar and frame at which each control change or action takes effect.

    mixed: the next frame to be mixed at the time of the change.
    """

    number: int
    landings: Mapping[str, Landing]
    mixed: Frames


@dataclass(frozen=True, slots=True)
class ControlsRefused:
    """Worker to server: nothing was changed, because the value of `field` is not `allowed`."""

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
    | PerformAction
    | Snapshot
    | PrimeStation
    | Rewound
    | Cut
    | StationBroke
)

_PACK = msgspec.msgpack.Encoder()
_LENGTH = struct.Struct("<I")
_FRAME = struct.Struct("<q")
_SPAN = struct.Struct("<qq")
_CUT = struct.Struct("<q?")
_PACKET = struct.Struct("<BqI")
_NUMBERS: Mapping[type[Message], struct.Struct] = {
    StationReady: _FRAME,
    Rendered: _FRAME,
    Rewound: _FRAME,
    Render: _SPAN,
    Cut: _CUT,
}
_FORMATS: tuple[Format, ...] = get_args(Format)
_KINDS: tuple[type[Message], ...] = get_args(Message)


def encode(message: Message) -> bytes:
    """Return the bytes of one message.

    Raises:
        StreamError: the message is longer than the receiver accepts.
    """
    body = _encode_body(message)
    if len(body) > MAX_BODY:
        raise StreamError(f"a {type(message).__name__} message of {len(body)} bytes exceeds the limit of {MAX_BODY}")
    return _LENGTH.pack(len(body) + 1) + bytes([_KINDS.index(type(message))]) + body


class MessageDecoder:
    """A decoder of messages from bytes that arrive in parts of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that `data` completes.

        Raises:
            StreamError: a length, kind or body is invalid.
        """
        self._buffer += data
        messages: list[Message] = []
        start = 0
        while len(self._buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, start)
            if not 1 <= length <= MAX_BODY + 1:
                raise StreamError(f"invalid message length: {length} bytes")
            end = start + _LENGTH.size + length
            if len(self._buffer) < end:
                break
            messages.append(_decode(self._buffer[start + _LENGTH.size], bytes(self._buffer[start + 5 : end])))
            start = end
        del self._buffer[:start]
        return messages


def _encode_body(message: Message) -> bytes:
    match message:
        case Encoded(format_, packet):
            return _PACKET.pack(_FORMATS.index(format_), packet.frame, packet.frames) + packet.data
        case Start() | Snapshot():
            return _PACK.encode(message)
        case StationReady() | Rendered() | Rewound() | Render() | Cut():
            return _NUMBERS[type(message)].pack(*astuple(message))
        case CloseFormat(format_):
            return _json([format_])
        case OpenFormat(format_, detail) | EncoderFailed(format_, detail):
            return _json([format_, detail])
        case StationFailed():
            return _json([message.message, message.in_snapshot])
        case StationEvent():
            return _json([message.frame, message.kind, dict(message.data)])
        case PerformAction() | PrimeStation() | StationBroke():
            return _json(astuple(message))
        case ChangeControls():
            return _json([message.number, dict(message.patch), [dict(step) for step in message.later]])
        case ControlsLanded():
            landings = {name: [at.bar, at.frame] for name, at in message.landings.items()}
            return _json([message.number, landings, message.mixed])
        case ControlsRefused():
            return _json([message.number, message.message, message.field, message.allowed])


def _decode(kind: int, body: bytes) -> Message:
    if kind >= len(_KINDS):
        raise StreamError(f"unknown kind of message: {kind}")
    name = _KINDS[kind].__name__
    try:
        return _decode_body(_KINDS[kind], body)
    except (ValueError, TypeError, AttributeError, LookupError, struct.error, msgspec.MsgspecError) as error:
        raise StreamError(f"invalid {name} message of {len(body)} bytes: {error}") from error


def _decode_body(kind: type[Message], body: bytes) -> Message:
    if kind is Encoded:
        number, frame, frames = _PACKET.unpack_from(body)
        return Encoded(_FORMATS[number], Packet(frame, frames, body[_PACKET.size :]))
    if kind in {Start, Snapshot}:
        return msgspec.msgpack.decode(body, type=kind)
    if (numbers := _NUMBERS.get(kind)) is not None:
        return kind(*numbers.unpack(body))
    if kind is ControlsLanded:
        number, landings, mixed = _read_json(body)
        return ControlsLanded(number, {name: Landing(*landing) for name, landing in landings.items()}, mixed)
    fields = _read_json(body)
    if kind is ChangeControls:
        number, patch, later = fields
        return ChangeControls(number, _object(patch), tuple(map(_object, later)))
    if kind is StationEvent:
        frame, name, data = fields
        return StationEvent(frame, name, _object(data))
    if kind is PrimeStation:
        number, prime = fields
        return PrimeStation(number, _object(prime))
    if kind in {OpenFormat, CloseFormat, EncoderFailed} and fields[0] not in _FORMATS:
        raise ValueError(f"unknown format '{fields[0]}'")
    return kind(*fields)


def _object(value: object) -> dict[str, JsonValue]:
    """Return `value`, which must be a JSON object."""
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.40} is not an object")
    return value


def _read_json(body: bytes) -> Any:
    """Parse JSON in which all numbers must be finite, like the output of `_json`."""
    return json.loads(body, parse_float=_finite, parse_constant=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
