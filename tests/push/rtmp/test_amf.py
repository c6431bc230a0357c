from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import StreamError
from radio.push.rtmp import amf

SIMPLE = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SIMPLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=4))
def test_decode_reverses_encode(values: list[amf.Value]) -> None:
    assert amf.decode(amf.encode(*values)) == values


def test_encoding_matches_the_specification() -> None:
    assert amf.encode("connect", 1) == b"\x02\x00\x07connect" + b"\x00" + struct.pack(">d", 1)
    assert amf.encode({"a": True}, None) == b"\x03\x00\x01a\x01\x01\x00\x00\x09\x05"


def test_decode_reads_types_that_only_servers_send() -> None:
    array = b"\x08\x00\x00\x00\x01\x00\x01k\x06\x00\x00\x09"
    date = b"\x0b" + struct.pack(">dh", 12.5, 0)
    assert amf.decode(array + date) == [{"k": None}, 12.5]


@given(VALUES.filter(lambda value: isinstance(value, (str, dict, list))), st.data())
def test_truncated_values_are_rejected(value: amf.Value, data: st.DataObject) -> None:
    whole = amf.encode(value)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(StreamError):
        amf.decode(whole[:cut])


@given(st.binary(max_size=64))
def test_arbitrary_bytes_raise_only_stream_errors(data: bytes) -> None:
    try:
        amf.decode(data)
    except StreamError:
        return


def test_deep_nesting_is_rejected() -> None:
    with pytest.raises(StreamError, match="deep"):
        amf.decode(b"\x0a\x00\x00\x00\x01" * 1_000)


@pytest.mark.parametrize(("length", "kind"), [(0xFFFF, 2), (0x10000, 12)])
def test_strings_of_64_kib_have_a_separate_type(length: int, kind: int) -> None:
    data = amf.encode("x" * length)
    assert data[0] == kind
    assert amf.decode(data) == ["x" * length]
