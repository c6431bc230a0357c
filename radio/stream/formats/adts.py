"""ADTS: the seven bytes before each AAC packet that let a decoder start anywhere (ISO/IEC 14496-3, section 1.A.2.2)."""

from __future__ import annotations

from radio.errors import StreamError

HEADER = 7
"""Bytes of a header without a checksum."""

_LONGEST = (1 << 13) - 1
_LC = 1  # the object type less one
_48_KHZ = 3
_STEREO = 2
_ANY_FULLNESS = 0x7FF  # "variable rate": nothing is promised of the decoder's buffer


def header(length: int) -> bytes:
    """The header of a packet of `length` bytes: MPEG-4 LC, 48 kHz, stereo.

    Raises:
        StreamError: the packet is longer than a header can say.
    """
    whole = HEADER + length
    if whole > _LONGEST:
        raise StreamError(f"an AAC packet of {length} bytes does not fit into ADTS, which takes {_LONGEST - HEADER}")
    # Bits from the left: syncword 12, ID and layer 3 (all 0), no checksum 1; profile 2, rate 4, private 1, channels 3,
    # four flags; length 13, fullness 11, blocks less one 2.
    bits = 0xFFF1
    bits = bits << 12 | _LC << 10 | _48_KHZ << 6 | _STEREO << 2
    bits = bits << 28 | whole << 13 | _ANY_FULLNESS << 2
    return bits.to_bytes(HEADER, "big")


def frame(packet: bytes) -> bytes:
    """The packet behind its header."""
    return header(len(packet)) + packet
