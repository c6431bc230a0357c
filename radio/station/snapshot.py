"""Snapshots: the music of a station at a bar line, as bytes that only data can be read from.

A snapshot holds what the music depends on, not its sound: the station plays from the bar line again, and discards what
it plays until everything has faded that sounded before (`PREROLL`). Textures and the tape depend on the frame alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
import numpy as np

from radio.audio.leveler import LevelerState
from radio.audio.synth import SynthState
from radio.compose.composer import ComposerState
from radio.compose.feel import FeelState
from radio.errors import RadioError, SnapshotError
from radio.model.engines.base import State
from radio.music.clock import Segment
from radio.settings.controls import Controls
from radio.station.moves import MovesState
from radio.types import SAMPLE_RATE, Action, EventKind, Frames

_MAGIC: Final = b"radio-state-5\n"
"""Begins each snapshot; raise the number whenever a field changes anywhere in `StationState`."""

PREROLL: Final[Frames] = 8 * SAMPLE_RATE
"""Audio after a snapshot's frame in which the longest notes and the room's reverb decay."""


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event that is scheduled but not rendered."""

    frame: Frames
    kind: EventKind
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StationState:
    """A station before the next bar is composed.

    frame: the next frame to be mixed. kicks, bass_notes: frames of those to come. later: changes of controls for the
    bars to come.
    """

    frame: Frames
    next_bar_line: Frames
    controls: Controls
    bar_controls: Controls
    composer: ComposerState
    feels: Mapping[str, FeelState]
    clock: tuple[Segment, ...]
    moves: MovesState
    leveler: LevelerState
    synth: SynthState
    kicks: tuple[Frames, ...]
    bass_notes: tuple[Frames, ...]
    events: tuple[PendingEvent, ...]
    later: tuple[Mapping[str, Any], ...]


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


def encode(state: StationState) -> Snapshot:
    """Return a state as bytes."""
    composer = state.composer
    draft = composer.draft and replace(composer.draft, states={})  # they follow from the rest, and are half of all
    performers = {name: replace(saved, state=State(saved.state.memory)) for name, saved in composer.performers.items()}
    state = replace(state, composer=replace(composer, performers=performers, draft=draft))
    return Snapshot(state.frame, _ENCODER.encode(state.leveler), _MAGIC + _ENCODER.encode(state))


def decode(data: bytes) -> StationState:
    """Return the state that `encode` was given.

    Raises:
        SnapshotError: the bytes are of another version, or not a snapshot.
    """
    if not data.startswith(_MAGIC):
        raise SnapshotError(f"the snapshot does not begin with {_MAGIC!r}, as those of this version of the radio do")
    try:
        return _STATES.decode(memoryview(data)[len(_MAGIC) :])
    except (RadioError, msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
        raise SnapshotError(f"the snapshot is damaged: {error}") from error


def decode_level(data: bytes) -> LevelerState:
    """Return the control of loudness of a snapshot. Raises SnapshotError if it is damaged."""
    try:
        return _LEVELS.decode(data)
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"the level of a snapshot is damaged: {error}") from error


def _from_array(value: object) -> object:
    if isinstance(value, np.ndarray) and value.dtype == np.float32:
        return [[*value.shape], value.astype("<f4").tobytes()]
    if isinstance(value, (np.floating, np.integer)):
        return value.item()
    raise TypeError(f"a snapshot cannot hold {type(value).__name__}")


def _to_array(_type: type, value: Any) -> object:
    shape, data = value
    return np.frombuffer(data, "<f4").reshape(shape)


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=_from_array)
_STATES: Final = msgspec.msgpack.Decoder(StationState, dec_hook=_to_array)
_LEVELS: Final = msgspec.msgpack.Decoder(LevelerState)
