"""The parameters of each format's codec, for encoders and muxers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from radio.types import Format, Frames

PCM_FRAMES: Frames = 960
"""Frames in one packet of PCM, the same as in one of Opus."""


@dataclass(frozen=True, slots=True)
class Codec:
    """The settings of a libav encoder; 48 kHz, stereo."""

    encoder: str
    sample_format: Literal["flt", "fltp"]
    bit_rate: int
    """Bits per second: the mean of a variable rate, or the constant rate."""
    frames: Frames
    """Frames in one packet."""
    lookahead: Frames
    """The combined delay of encoder and decoder."""
    options: Mapping[str, str] = field(default_factory=dict)


CODECS: Mapping[Format, Codec] = MappingProxyType(
    {
        "opus": Codec("libopus", "flt", 96_000, 960, 312, {"application": "audio", "frame_duration": "20"}),
        # Without a bit reservoir each frame is independent: a new listener hears the very first one, and frames of a
        # new encoder can follow those of an old one. At this bit rate, a reservoir makes no audible difference.
        "mp3": Codec("libmp3lame", "fltp", 192_000, 1_152, 1_105, {"reservoir": "0"}),
        "aac": Codec("aac", "fltp", 160_000, 1_024, 1_024),
    }
)

AUDIO_SPECIFIC_CONFIG = b"\x11\x90"
"""The AAC configuration for containers: object type 2 (LC), 48 kHz, stereo (ISO/IEC 14496-3, section 1.6.2.1)."""


def packet_frames(format_: Format) -> Frames:
    """Return the number of frames in a packet of this format."""
    return PCM_FRAMES if format_ == "pcm" else CODECS[format_].frames
