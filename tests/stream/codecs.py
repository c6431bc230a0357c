"""Packets of the two HLS codecs for tests, encoded directly with libav."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from radio.stream.formats import fmp4
from radio.types import SAMPLE_RATE, Block, Packet

AAC = fmp4.aac(config=b"\x11\x90", bit_rate=160_000, delay=1_024)
OPUS = fmp4.opus(delay=312)
TRACKS = {"aac": AAC, "opus": OPUS}


def encoded(name: str, audio: Block, *, start: int = 0) -> list[Packet]:
    """Encode `audio` and return its complete packets, starting at frame `start`."""
    track = TRACKS[name]
    encoder, form = {"aac": ("aac", "fltp"), "opus": ("libopus", "flt")}[name]
    codec = av.CodecContext.create(encoder, "w")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate, codec.layout, codec.format = SAMPLE_RATE, "stereo", form
    codec.bit_rate, codec.time_base = 96_000, Fraction(1, SAMPLE_RATE)
    codec.open()
    samples = audio.reshape(1, -1) if form == "flt" else audio.T
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=form, layout="stereo")
    frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, Fraction(1, SAMPLE_RATE), 0
    return [
        Packet(start + p.pts + track.delay, track.packet, bytes(p)) for p in codec.encode(frame) if p.pts is not None
    ]


def silence(name: str, count: int, *, start: int = 0, size: int = 3) -> list[Packet]:
    """Return packets that contain consecutive numbers instead of audio."""
    length = TRACKS[name].packet
    return [Packet(start + n * length, length, n.to_bytes(size, "big")) for n in range(count)]
