"""The data with which a station continues where another one stopped, in a form that any process can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from radio.types import SAMPLE_RATE, Action, Frames

PREROLL: Final[Frames] = 8 * SAMPLE_RATE
"""Length of the audio after a snapshot's frame in which the longest earlier notes and the room's reverb decay."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An encoded state.

    frame: the first frame that a station plays after resuming from it.
    level: the state of the loudness control. It depends on measurements of the sound, so a station that resumes from an
    earlier snapshot adopts it when it reaches this frame.
    """

    frame: Frames
    level: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An input that a station received before it mixed `frame`; it is replayed at the same frame.

    patch: control changes. later: control changes for the bars after that. action: a listener's action. level: that of
    a later snapshot. prime: a prime as JSON.
    """

    frame: Frames
    patch: Mapping[str, Any] = field(default_factory=dict)
    action: Action | None = None
    level: bytes = b""
    later: tuple[Mapping[str, Any], ...] = ()
    prime: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """The data with which a station continues where another one stopped.

    snapshot: data of a snapshot, `PREROLL` or more before `sound_from`; empty to start from the beginning. log: the
    inputs since the snapshot, in order. sound_from: the first frame whose sound is needed. events_from: the first frame
    whose events are needed. frame: the frame at which the station continues.
    """

    snapshot: bytes
    log: tuple[LogEntry, ...]
    sound_from: Frames
    events_from: Frames
    frame: Frames
