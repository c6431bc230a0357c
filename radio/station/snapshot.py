"""Snapshots: the music of a station at a bar line, as bytes that decode to plain data, never to code.

A snapshot contains the state of the music, not of the sound: a resumed station plays from the bar line and discards the
audio until all earlier sounds would have faded (`PREROLL`). Textures and the tape depend only on the frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from radio.station.resume import Snapshot
from radio.types import EventKind, Frames

_MAGIC: Final = b"radio-state-8\n"
"""The first bytes of each snapshot; increase the number whenever a field changes anywhere in `StationState`."""


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event that is scheduled but not rendered."""

    frame: Frames
    kind: EventKind
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StationState:
    """A station before the next bar is composed.

    frame: the next frame to be mixed. kicks, bass_notes, snares: the frames of upcoming ones. later: control changes
    for the upcoming bars.
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
    snares: tuple[Frames, ...]
    events: tuple[PendingEvent, ...]
    later: tuple[Mapping[str, Any], ...]


def encode(state: StationState) -> Snapshot:
    """Encode a state as a snapshot."""
    composer = state.composer
    draft = composer.draft and replace(composer.draft, states={})  # they follow from the rest, and are half of the data
    performers = {name: replace(saved, state=State(saved.state.memory)) for name, saved in composer.performers.items()}
    state = replace(state, composer=replace(composer, performers=performers, draft=draft))
    return Snapshot(state.frame, _ENCODER.encode(state.leveler), _MAGIC + _ENCODER.encode(state))


def decode(data: bytes) -> StationState:
    """Return the state in the data of a snapshot.

    Raises:
        SnapshotError: the bytes are of another version, or not a snapshot.
    """
    if not data.startswith(_MAGIC):
        raise SnapshotError(f"the snapshot does not begin with {_MAGIC!r}, so it is not of this version of the radio")
    try:
        return _STATES.decode(memoryview(data)[len(_MAGIC) :])
    except (RadioError, msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
        raise SnapshotError(f"the snapshot is damaged: {error}") from error


def decode_level(data: bytes) -> LevelerState:
    """Return the state of the loudness control in a snapshot. Raise SnapshotError if it is damaged."""
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
