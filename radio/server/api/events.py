"""The data of a station's server-sent events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, TypeAlias

import msgspec
from msgspec import Meta

from radio.errors import StreamError
from radio.server.api.body import Body, Frame, LiveEdge, encode
from radio.server.api.controls import ControlEvent
from radio.types import STILL, Frames, MixMove, StationEvent

Tempo: TypeAlias = Annotated[float, Meta(description="Beats per minute.")]
Instruments: TypeAlias = Annotated[
    dict[str, int],
    Meta(description="General MIDI programs, from 0, by layer; the kit for `drums`; `lead` only if there is one."),
]
LoopChords: TypeAlias = Annotated[list[str], Meta(description="The chords of a loop, one entry per bar.")]


class TrackEvent(Body):
    """The start of a track."""

    kind: ClassVar[str] = "track"
    number: Annotated[int, Meta(description="Index of the track since the piece began.")]
    title: str
    key: str
    tempo: Tempo
    chords: LoopChords
    bars: Annotated[int, Meta(description="Length of the track in bars.")]
    frame: Frame
    instruments: Instruments
    instrument_names: Annotated[
        dict[str, str], Meta(description="Names of the instruments in General MIDI, by layer.")
    ] = msgspec.field(default_factory=dict)


class BarEvent(Body):
    """The start of a bar."""

    kind: ClassVar[str] = "bar"
    number: Annotated[int, Meta(description="Index of the bar since the piece began.")]
    chord: Annotated[str, Meta(description="Two names separated by a space if it changes on the third beat.")]
    section: str
    tempo: Tempo
    chords: LoopChords
    place: Annotated[int, Meta(description="Index of the bar in its loop, from 0.")]
    frame: Frame
    frames: Annotated[int, Meta(description="Length of the bar.", ge=0)] = 0
    mix: Annotated[MixMove, Meta(description="Movement of the mix from the start of the bar to its end.")] = STILL
    instruments: Instruments = msgspec.field(default_factory=dict)
    key: Annotated[str, Meta(description="Empty if unknown.")] = ""
    hold: Annotated[bool, Meta(description="True while a client holds this loop.")] = False


class PlayedNoteEvent(Body):
    """The start or end of a note."""

    kind: ClassVar[str] = "note"
    layer: str
    note: Annotated[int, Meta(description="MIDI note number.", ge=0, le=127)]
    velocity: Annotated[int, Meta(description="0 releases the note.", ge=0, le=127)]
    tick: Annotated[int, Meta(description="Position in 1/120 beats since the piece began.")]
    frame: Frame


class StreamStartEvent(Body):
    """The start of an audio stream that was opened with a `sid`."""

    kind: ClassVar[str] = "stream"
    sid: Annotated[str, Meta(description="Name that the client gave the stream.")]
    first: Annotated[int, Meta(description="First frame of the stream's audio.")]
    live: LiveEdge


AirEvent: TypeAlias = TrackEvent | BarEvent | PlayedNoteEvent | ControlEvent
"""An event on the station's clock."""

_TYPES: Final[Mapping[str, type[Body]]] = {type_.kind: type_ for type_ in (TrackEvent, BarEvent, PlayedNoteEvent)}


def read_event(event: StationEvent, offset: Frames = 0) -> AirEvent:
    """Return a worker's event, shifted by `offset` from the worker's clock to the channel's.

    Raises:
        StreamError: A field of the event is missing or has the wrong type.
    """
    data = {**event.data, "frame": event.frame + offset}
    if event.kind == "control":
        return ControlEvent(data)
    try:
        return msgspec.convert(data, _TYPES[event.kind])  # type: ignore[return-value]  # a type of the mapping
    except msgspec.ValidationError as error:
        raise StreamError(f"the worker sent a malformed {event.kind} event: {error}") from error


def encode_event(kind: str, data: object) -> bytes:
    """Return a server-sent event (WHATWG HTML, section 9.2)."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode(data))
