"""ADTS headers, which allow a decoder to start at any AAC packet (ISO/IEC 14496-3, section 1.A.2.2)."""

from __future__ import annotations

from radio.errors import StreamError

HEADER_SIZE = 7
"""Size of a header without a checksum, in bytes."""

_MAX_LENGTH = (1 << 13) - 1
_LC = 1  # the object type minus one
_48_KHZ = 3
_STEREO = 2
_ANY_FULLNESS = 0x7FF  # variable bit rate: the fullness of the decoder's buffer is not given


def header(length: int) -> bytes:
    """Return the header of a packet of `length` bytes: MPEG-4 LC, 48 kHz, stereo.

    Raises:
        StreamError: the packet is too long for ADTS.
    """
    size = HEADER_SIZE + length
    if size > _MAX_LENGTH:
        raise StreamError(
            f"an AAC packet of {length} bytes exceeds the limit of ADTS, {_MAX_LENGTH - HEADER_SIZE} bytes"
        )
    # Bits from the left: syncword 12, ID and layer 3 (all 0), no checksum 1; profile 2, rate 4, private 1, channels 3,
    # four flags; length 13, fullness 11, blocks minus one 2.
    bits = 0xFFF1
    bits = bits << 12 | _LC << 10 | _48_KHZ << 6 | _STEREO << 2
    bits = bits << 28 | size << 13 | _ANY_FULLNESS << 2
    return bits.to_bytes(HEADER_SIZE, "big")


def add_header(packet: bytes) -> bytes:
    """Return the packet with its header."""
    return header(len(packet)) + packet
