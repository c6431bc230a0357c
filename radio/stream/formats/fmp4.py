"""A muxer for fragmented MP4 with one audio track: the init segment and the media segments of HLS.

Sources: ISO/IEC 14496-12 (boxes; the sections below refer to it), ISO/IEC 14496-14, 3.1 (AAC), "Encapsulation of Opus
in ISO Base Media File Format" 0.8.1 (Opus), RFC 8216, section 3.3 (requirements of HLS).

Times are those of the decoded audio. A decoder returns a packet's audio `Mp4Track.delay` frames after the encoder
received it, so `tfdt` is that many frames earlier than the packet's stamp. There is no edit list and no pre-skip: they
would matter only to a player that starts with the very first packet, but listeners join in the middle, at any segment.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from radio.types import SAMPLE_RATE, Frames, Packet

_TRACK_ID = 1
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED = 0x55C4
"""The language "und", packed (8.4.2)."""

_SYNC_SAMPLE = 0x02000000
"""Sample flags: independent of other samples, and a sync sample (8.8.3.1)."""

_BASE_IS_MOOF = 0x020000
_DATA_OFFSET, _DURATIONS, _SIZES = 0x1, 0x100, 0x200


@dataclass(frozen=True, slots=True)
class Mp4Track:
    """A description of an audio codec for MP4 and HLS: 48 kHz, stereo, all packets independent."""

    codec: str
    """The name of the codec in a multivariant playlist (RFC 6381)."""
    packet: Frames
    """The usual duration of a packet."""
    delay: Frames
    """The combined delay of encoder and decoder."""
    entry: bytes
    """The sample entry, a box with the decoder's settings."""
    roll: int
    """Number of preceding packets that a decoder needs to converge; 0 if the container need not state it."""


def aac(*, config: bytes, bit_rate: int, delay: Frames, packet: Frames = 1_024) -> Mp4Track:
    """Return a track for AAC-LC.

    Args:
        config: the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), at most 96 bytes.
        bit_rate: mean and maximum rate in bit/s, for information only.
        delay: the combined delay of encoder and decoder.
        packet: frames in a packet.
    """
    # MPEG-4 audio, an audio stream, unspecified buffer size
    decoder = struct.pack(">BB3xII", 0x40, 0x15, bit_rate, bit_rate) + _descriptor(0x05, config)
    stream = struct.pack(">HB", 0, 0) + _descriptor(0x04, decoder) + _descriptor(0x06, b"\x02")
    return Mp4Track("mp4a.40.2", packet, delay, _entry(b"mp4a", _full(b"esds", 0, 0, _descriptor(0x03, stream))), 0)


def opus(*, delay: Frames, packet: Frames = 960) -> Mp4Track:
    """Return a track for Opus, mapping family 0. A decoder needs 80 ms to converge (encapsulation 4.3.2, 4.3.6.2)."""
    specific = _box(b"dOps", struct.pack(">BBHIhB", 0, 2, 0, SAMPLE_RATE, 0, 0))
    return Mp4Track("opus", packet, delay, _entry(b"Opus", specific), -(-SAMPLE_RATE * 80 // 1_000 // packet))


def init_segment(track: Mp4Track) -> bytes:
    """Return the init segment that a player needs before any media segment: file type and movie, without samples."""
    file_type = _box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6", b"mp41", b"cmfc")
    return file_type + _box(b"moov", _movie_header(), _track(track), _box(b"mvex", _track_extends(track)))


def media_segment(track: Mp4Track, packets: Sequence[Packet], *, number: int, time: Frames) -> bytes:
    """Return a media segment consisting of one movie fragment.

    Args:
        track: the track of the init segment.
        packets: at least one packet; the packets follow each other without gaps, regardless of their stamps.
        number: the sequence number of the fragment, increasing and taken modulo 2³².
        time: the start of the first packet's decoded audio, 0 to 2⁶⁴ − 1.
    """
    payload = b"".join(packet.data for packet in packets)
    header = _fragment(track, packets, number=number, time=time, offset=0)
    return _fragment(track, packets, number=number, time=time, offset=len(header) + 8) + _box(b"mdat", payload)


def _fragment(track: Mp4Track, packets: Sequence[Packet], *, number: int, time: Frames, offset: int) -> bytes:
    """Return the `moof` box; `offset` is the distance from its first byte to the payload."""
    header = _full(b"mfhd", 0, 0, struct.pack(">I", number & 0xFFFFFFFF))
    track_header = _full(b"tfhd", 0, _BASE_IS_MOOF, struct.pack(">I", _TRACK_ID))
    decode_time = _full(b"tfdt", 1, 0, struct.pack(">Q", time))
    parts = [track_header, decode_time, _run(track, packets, offset)]
    if track.roll:
        groups = _full(b"sbgp", 0, 0, b"roll", struct.pack(">III", 1, len(packets), 1))
        parts.append(groups)
    return _box(b"moof", header, _box(b"traf", *parts))


def _run(track: Mp4Track, packets: Sequence[Packet], offset: int) -> bytes:
    """Return the `trun` box: the sizes of the packets, with durations if any differs from the usual one (8.8.8)."""
    sizes = [len(packet.data) for packet in packets]
    if all(packet.frames == track.packet for packet in packets):
        flags, table = _SIZES, struct.pack(f">{len(sizes)}I", *sizes)
    else:
        flags = _SIZES | _DURATIONS
        table = b"".join(struct.pack(">II", packet.frames, len(packet.data)) for packet in packets)
    return _full(b"trun", 0, flags | _DATA_OFFSET, struct.pack(">Ii", len(packets), offset), table)


def _movie_header() -> bytes:
    """Return a movie header of unknown duration."""
    fields = struct.pack(">IH10x", 0x10000, 0x0100) + _MATRIX + bytes(24) + struct.pack(">I", _TRACK_ID + 1)
    return _full(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, SAMPLE_RATE, 0), fields)


def _track(track: Mp4Track) -> bytes:
    enabled, in_movie = 1, 2
    times = struct.pack(">IIIII", 0, 0, _TRACK_ID, 0, 0)
    header = _full(
        b"tkhd", 0, enabled | in_movie, times, struct.pack(">8xHHH2x", 0, 0, 0x0100), _MATRIX, struct.pack(">II", 0, 0)
    )
    return _box(b"trak", header, _media(track))


def _media(track: Mp4Track) -> bytes:
    header = _full(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, SAMPLE_RATE, 0, _UNDETERMINED, 0))
    handler = _full(b"hdlr", 0, 0, bytes(4), b"soun", bytes(12), b"radio\0")
    same_file = _full(b"url ", 0, 1)
    references = _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1), same_file))
    information = _box(b"minf", _full(b"smhd", 0, 0, bytes(4)), references, _sample_table(track))
    return _box(b"mdia", header, handler, information)


def _sample_table(track: Mp4Track) -> bytes:
    """Return a sample table with the sample entry but no samples."""
    empty = struct.pack(">I", 0)
    boxes = [
        _full(b"stsd", 0, 0, struct.pack(">I", 1), track.entry),
        _full(b"stts", 0, 0, empty),
        _full(b"stsc", 0, 0, empty),
        _full(b"stsz", 0, 0, empty, empty),
        _full(b"stco", 0, 0, empty),
    ]
    if track.roll:
        boxes.append(_full(b"sgpd", 1, 0, b"roll", struct.pack(">IIh", 2, 1, -track.roll)))
    return _box(b"stbl", *boxes)


def _track_extends(track: Mp4Track) -> bytes:
    return _full(b"trex", 0, 0, struct.pack(">IIIII", _TRACK_ID, 1, track.packet, 0, _SYNC_SAMPLE))


def _entry(kind: bytes, specific: bytes) -> bytes:
    """Return an AudioSampleEntry for 16-bit stereo (12.2.3)."""
    return _box(kind, bytes(6), struct.pack(">H8xHH4xI", 1, 2, 16, SAMPLE_RATE << 16), specific)


def _descriptor(tag: int, content: bytes) -> bytes:
    """Return an MPEG-4 descriptor of fewer than 128 bytes (ISO/IEC 14496-1, 7.2.2 and 8.3.3)."""
    return bytes([tag, len(content)]) + content


def _full(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Return a box with version and flags (4.2)."""
    return _box(kind, struct.pack(">I", version << 24 | flags), *content)


def _box(kind: bytes, *content: bytes) -> bytes:
    """Return a box: size, kind and content (4.2)."""
    return struct.pack(">I4s", 8 + sum(map(len, content)), kind) + b"".join(content)
