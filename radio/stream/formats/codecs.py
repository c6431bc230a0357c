"""What each format's packets are, as whoever muxes them must know; `encoders` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from radio.types import Format, Frames

PCM_FRAMES: Frames = 960
"""Frames in one packet of plain samples: as many as in one of Opus."""


@dataclass(frozen=True, slots=True)
class Codec:
    """What is asked of libav for one format; 48 kHz, stereo."""

    encoder: str
    sample_format: Literal["flt", "fltp"]
    bit_rate: int
    """Bits per second: the mean of a variable rate, or each packet's."""
    frames: Frames
    """Frames in one packet."""
    lookahead: Frames
    """How much later a frame leaves the decoder than it entered the encoder."""
    options: Mapping[str, str] = field(default_factory=dict)


CODECS: Mapping[Format, Codec] = MappingProxyType(
    {
        "opus": Codec("libopus", "flt", 96_000, 960, 312, {"application": "audio", "frame_duration": "20"}),
        # Without a bit reservoir every frame is whole in itself: whoever joins hears the first one, and a new encoder's
        # frames follow an old one's without a seam. At this rate, the reservoir is not missed.
        "mp3": Codec("libmp3lame", "fltp", 192_000, 1_152, 1_105, {"reservoir": "0"}),
        "aac": Codec("aac", "fltp", 160_000, 1_024, 1_024),
    }
)

AUDIO_SPECIFIC_CONFIG = b"\x11\x90"
"""What a container says of our AAC: object type 2 (LC), 48 kHz, stereo (ISO/IEC 14496-3, section 1.6.2.1)."""


def packet_frames(format_: Format) -> Frames:
    """How many frames a packet of this format lasts."""
    return PCM_FRAMES if format_ == "pcm" else CODECS[format_].frames
