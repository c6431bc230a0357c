"""AMF0, the encoding of RTMP's commands: the subset that a publisher needs.

Source: Adobe, "Action Message Format – AMF 0", section 2. Values are plain Python: float, bool, str, dict, list, None.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TypeAlias, cast

from radio.errors import StreamError

Value: TypeAlias = "float | bool | str | list[Value] | dict[str, Value] | None"

_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL, _UNDEFINED = 0, 1, 2, 3, 5, 6
_ECMA_ARRAY, _OBJECT_END, _STRICT_ARRAY, _DATE, _LONG_STRING = 8, 9, 10, 11, 12
_MAX_DEPTH = 16
"""Largest depth of nested objects; real answers have two levels."""


def encode(*values: Value) -> bytes:
    """Encode values one after another, as in the body of a command."""
    return b"".join(map(_encoded, values))


def decode(data: bytes) -> list[Value]:
    """Return the values encoded in `data`.

    Raises:
        StreamError: The data is truncated, nested too deeply, or contains a value of an unsupported type.
    """
    reader = _Reader(data)
    values = []
    try:
        while reader.remaining:
            values.append(reader.value(_MAX_DEPTH))
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise StreamError(f"the server sent a command of {len(data)} bytes that is not AMF0: {error}") from error
    return values


def _encoded(value: Value) -> bytes:
    match value:
        case None:
            return bytes([_NULL])
        case bool():
            return bytes([_BOOLEAN, value])
        case int() | float():
            return struct.pack(">Bd", _NUMBER, value)
        case str():
            text = value.encode()
            if len(text) > 0xFFFF:
                return struct.pack(">BI", _LONG_STRING, len(text)) + text
            return struct.pack(">BH", _STRING, len(text)) + text
        case Mapping():
            members = b"".join(_name(name) + _encoded(member) for name, member in value.items())
            return bytes([_OBJECT]) + members + _name("") + bytes([_OBJECT_END])
        case _:
            return struct.pack(">BI", _STRICT_ARRAY, len(value)) + encode(*value)


def _name(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded


class _Reader:
    """A sequential reader of values."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def remaining(self) -> int:
        return len(self._data) - self._at

    def value(self, depth: int) -> Value:
        kind = self._read(1)[0]
        if kind == _NUMBER:
            return cast("float", self._unpack(">d"))
        if kind == _BOOLEAN:
            return self._read(1)[0] != 0
        if kind == _STRING:
            return self._text(self._unpack(">H"))
        if kind == _LONG_STRING:
            return self._text(self._unpack(">I"))
        if kind in {_NULL, _UNDEFINED}:
            return None
        if kind == _DATE:
            return cast("float", self._unpack(">dh", 0))
        if not depth:
            raise StreamError("the server sent a command that is nested too deeply")
        if kind == _ECMA_ARRAY:
            self._unpack(">I")  # the number of members is only a hint: an end marker follows them
        if kind in {_OBJECT, _ECMA_ARRAY}:
            return self._members(depth - 1)
        if kind == _STRICT_ARRAY:
            return [self.value(depth - 1) for _ in range(self._unpack(">I"))]
        raise StreamError(f"the server sent a command with a value of unsupported AMF0 type {kind}")

    def _members(self, depth: int) -> dict[str, Value]:
        members: dict[str, Value] = {}
        while True:
            name = self._text(self._unpack(">H"))
            if not name and self._data[self._at] == _OBJECT_END:
                self._at += 1
                return members
            members[name] = self.value(depth)

    def _text(self, length: int) -> str:
        return self._read(length).decode()

    def _unpack(self, layout: str, index: int = 0) -> int:
        return cast("int", struct.unpack(layout, self._read(struct.calcsize(layout)))[index])

    def _read(self, length: int) -> bytes:
        if length > self.remaining:
            raise IndexError(f"{length} bytes expected, {self.remaining} left")
        self._at += length
        return self._data[self._at - length : self._at]
