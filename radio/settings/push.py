"""What is known of one push before it begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from radio.settings.push_target import Key, Target

RESTART_HOURS: Final = 47.0
"""Twitch ends a stream after 48."""

FRAME_RATES: Final = (10, 12, 15, 20, 24, 25, 30, 40, 48, 50, 60)
"""Each divides 48 000, so that every frame of the picture begins at a frame of the sound."""

MountFormat: TypeAlias = Literal["opus", "mp3"]
"""What an Icecast mount can be given."""


@dataclass(frozen=True, slots=True)
class Video:
    """The picture and how it is encoded."""

    width: int = 1280
    """Pixels, even."""
    height: int = 720
    fps: int = 30
    """One of `FRAME_RATES`."""
    bitrate: int = 2_500
    """kbit/s of the picture, held constant; the sound has 160 beside it."""


@dataclass(frozen=True, slots=True)
class PushSettings:
    """One entry of a station's `push` list, or of the command line."""

    to: Target
    key: Key
    format: MountFormat = "opus"
    """For Icecast."""
    video: Video = field(default_factory=Video)
    """For RTMP."""
    restart_hours: float = RESTART_HOURS
    """For RTMP: after so long a new stream is begun."""
