"""All that a station needs to go on where another one stopped, as plain data that any process can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from radio.types import SAMPLE_RATE, Action, Frames

PREROLL: Final[Frames] = 8 * SAMPLE_RATE
"""Audio after a snapshot's frame in which the longest notes and the room's reverb decay."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An encoded state.

    frame: the first frame that a station plays which goes on from it.
    level: the control of loudness alone. It measures the sound, so a station that goes on from an earlier snapshot
    takes it over when it reaches this one.
    """

    frame: Frames
    level: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Something that reached a station from outside before it mixed `frame`: it comes again when the frame does.

    patch: changes of controls. later: those of the bars after that. action: what a listener asked for. level: that of a
    later snapshot. prime: what the station takes up, as JSON.
    """

    frame: Frames
    patch: Mapping[str, Any] = field(default_factory=dict)
    action: Action | None = None
    level: bytes = b""
    later: tuple[Mapping[str, Any], ...] = ()
    prime: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """All that a station needs to go on where another one stopped.

    snapshot: data of a snapshot, `PREROLL` or more before `sound_from`; empty for the beginning of the station.
    log: what happened since the snapshot, in order. sound_from: the first frame whose sound is needed. events_from:
    that of the first event that is needed. frame: where the station goes on.
    """

    snapshot: bytes
    log: tuple[LogEntry, ...]
    sound_from: Frames
    events_from: Frames
    frame: Frames
