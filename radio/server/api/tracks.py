"""Music made to order."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from radio.prompt.changes import LONGEST
from radio.server.api.body import Body
from radio.server.api.controls import ControlValues

SECONDS: Final = (5, 600)
TRACKS: Final = (1, 8)
COUNT: Final = (1, 8)
SEED: Final = (0, 2**53 - 1)
"""The limit is the largest safe integer of JavaScript."""

TrackFormat: TypeAlias = Literal["mp3", "mid", "wav", "flac", "opus"]
_FORMATS: Final = f"a list of one or more of {', '.join(get_args(TrackFormat))}"


class TrackOrder(Body, kw_only=True):
    """An order for one or more files in each format. A file contains whole tracks, or music of a given length."""

    station: Annotated[str, Meta(description="The station that the music resembles.")]
    prompt: Annotated[
        str,
        Meta(
            description="Words about the music, such as `rainy night, felt piano, no drums`; `instrument` and "
            "`controls` take precedence.",
            max_length=LONGEST,
        ),
    ] = ""
    instrument: (
        Annotated[
            str | Annotated[int, Meta(ge=0, le=127)],
            Meta(
                description="The instrument of the keys: a General MIDI name or its number. [the station's]",
                extra={"allowed": "a General MIDI name or number, 0 to 127"},
            ),
        ]
        | UnsetType
    ) = UNSET
    tracks: (
        Annotated[
            int,
            Meta(
                description="Number of whole tracks in each file, with intro and ending. [1]",
                ge=TRACKS[0],
                le=TRACKS[1],
            ),
        ]
        | UnsetType
    ) = UNSET
    seconds: (
        Annotated[
            float,
            Meta(
                description="Length of each file, in place of whole tracks; the music fades out at the end.",
                ge=SECONDS[0],
                le=SECONDS[1],
            ),
        ]
        | UnsetType
    ) = UNSET
    count: Annotated[int, Meta(description="Number of files; each uses the next seed.", ge=COUNT[0], le=COUNT[1])] = 1
    seed: Annotated[int, Meta(description="The first seed. [random]", ge=SEED[0], le=SEED[1])] | UnsetType = UNSET
    formats: Annotated[list[TrackFormat], Meta(description="[mp3, mid]", min_length=1, extra={"allowed": _FORMATS})] = (
        msgspec.field(default_factory=lambda: ["mp3", "mid"])
    )
    controls: Annotated[
        ControlValues,
        Meta(
            description="Controls that differ from the station's initial ones.",
            extra={"allowed": 'an object of controls, such as {"temperature": 0.9}'},
        ),
    ] = msgspec.field(default_factory=ControlValues)


class TrackFile(Body):
    """A file of an order."""

    name: str
    url: str
    bytes: int


class TrackJob(Body):
    """The state of an order."""

    id: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    place: Annotated[int, Meta(description="Number of orders ahead of this one.")]
    progress: Annotated[float, Meta(description="Completed share, 0 to 1.")]
    fault: Annotated[str | None, Meta(description="Reason why the order failed.")]
    files: list[TrackFile]
    station: str
    instrument: str
    tracks: Annotated[int | None, Meta(description="Whole tracks in each file; null for a length in seconds.")]
    seconds: Annotated[float | None, Meta(description="Length of each file; null for whole tracks.")]
    seeds: list[int]
    not_understood: Annotated[list[str], Meta(description="Phrases of the prompt that have no audible effect.")]


class StationInstruments(Body):
    """General MIDI programs of a station."""

    instrument: Annotated[int, Meta(description="The station's own program.")]
    instruments: Annotated[list[int], Meta(description="The programs in its soundfont.")]


class InstrumentFamily(Body):
    """A family of similar instruments, by their General MIDI names."""

    name: str
    instruments: list[str]


class TrackChoices(Body):
    """The allowed values of an order. `tracks`, `seconds`, `count` and `seed` are each a minimum and a maximum."""

    stations: dict[str, StationInstruments]
    families: list[InstrumentFamily]
    formats: list[TrackFormat]
    tracks: list[int]
    seconds: list[int]
    count: list[int]
    seed: list[int]
