"""The input of the encoder process: a line of JSON with the settings, then messages."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final

from radio.errors import StreamError

SAMPLES, TITLE = 1, 2
"""Message types: interleaved signed 16-bit samples at 48 kHz; a title in UTF-8, shown from the next sample onward."""

_HEADER: Final = struct.Struct("<BI")
_MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """The size and rates of the video, its background image, and the station's name."""

    width: int
    """Pixels, even."""
    height: int
    fps: int
    bitrate: int
    """kbit/s of the video."""
    image: str
    station: str

    def as_line(self) -> bytes:
        """Return the settings as a line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"


def message(kind: int, body: bytes) -> bytes:
    """Return an encoded message: its type, the length of its body, and the body."""
    return _HEADER.pack(kind, len(body)) + body


def read_settings(source: BinaryIO) -> EncoderSettings:
    """Read the first line. Raise StreamError if it does not contain settings."""
    try:
        return EncoderSettings(**json.loads(source.readline()))
    except (ValueError, TypeError) as error:
        raise StreamError(f"the first line of the encoder's input must be its settings: {error}") from error


def read_messages(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the type and body of each message until the input ends; ignore a truncated last one.

    Raises:
        StreamError: A message has an unknown type or is too long.
    """
    while len(header := source.read(_HEADER.size)) == _HEADER.size:
        kind, length = _HEADER.unpack(header)
        if kind not in {SAMPLES, TITLE} or length > _MAX_BODY_BYTES:
            raise StreamError(f"unknown message to the encoder: type {kind}, {length} bytes")
        body = source.read(length)
        if len(body) < length:
            return
        yield kind, body
