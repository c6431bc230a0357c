"""What goes into the encoder's process: a line of JSON, then messages."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final

from radio.errors import StreamError

SOUND, TITLE = 1, 2
"""Kinds of messages: interleaved signed 16-bit samples at 48 kHz; text in UTF-8, shown from the next sample on."""

_HEAD: Final = struct.Struct("<BI")
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What the encoder is told at first."""

    width: int
    height: int
    fps: int
    bitrate: int
    """kbit/s of the picture."""
    image: str
    station: str

    def line(self) -> bytes:
        """As it goes over the pipe."""
        return json.dumps(asdict(self)).encode() + b"\n"


def message(kind: int, body: bytes) -> bytes:
    """One message as it goes over the pipe: its kind, the length of its body, and that."""
    return _HEAD.pack(kind, len(body)) + body


def read_settings(source: BinaryIO) -> EncoderSettings:
    """The first line. Raises StreamError where it is none of ours."""
    try:
        return EncoderSettings(**json.loads(source.readline()))
    except (ValueError, TypeError) as error:
        raise StreamError(f"the encoder was told settings that cannot be read: {error}") from error


def read_messages(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Kind and body of each message, until the input ends, in the middle of one or not.

    Raises:
        StreamError: A message of no kind that we know.
    """
    while len(head := source.read(_HEAD.size)) == _HEAD.size:
        kind, length = _HEAD.unpack(head)
        if kind not in {SOUND, TITLE} or length > _LONGEST:
            raise StreamError(f"a message of kind {kind} and {length} bytes is none of ours")
        body = source.read(length)
        if len(body) < length:
            return
        yield kind, body
