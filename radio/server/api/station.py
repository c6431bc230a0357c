"""Bodies of `/api/stations`: a station's music, controls, health and pushes."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from radio.server.api.body import Body, Frame, LiveEdge, SampleRate, Time
from radio.server.api.events import BarEvent, PlayedNoteEvent, TrackEvent
from radio.settings.controls import CONTROLS
from radio.settings.fields import Group, Lands
from radio.station.fallback_plan import Tier
from radio.types import Landing

Address: TypeAlias = Annotated[str, Meta(description="Path below this radio's root.")]
ControlValue: TypeAlias = bool | int | float | str

_WAITS: Final = (
    "Null while something stands in for the music: the change is kept, and takes effect with the bar in which the "
    "music goes on."
)


class Track(TrackEvent, kw_only=True):
    """A track that is on, or was."""

    started_at: Annotated[Time, Meta(description="When the track was at the live edge.")]


class CurrentMusic(Body):
    """The track and the bar at the live edge; null before the first."""

    track: Track | None
    bar: BarEvent | None


class Art(Body):
    """The picture of a station, and hues in degrees that go with it."""

    image: Address
    hue: Annotated[int, Meta(description="For accents.")]
    ground: Annotated[int, Meta(description="For dark and light surfaces.")]


class Streams(Body):
    """The addresses at which a station can be played."""

    opus: Address
    mp3: Address
    aac: Address
    hls: Address


class StationSummary(Body):
    """A station in short."""

    name: str
    title: str
    description: str
    on_air: bool
    tier: Annotated[
        Tier,
        Meta(
            description="The sound at the live edge: the music of the models; the last bars again, or textures alone, "
            "while the station cannot play."
        ),
    ]
    now: CurrentMusic
    live: LiveEdge
    sample_rate: SampleRate
    listeners: int
    art: Art
    export: Address
    streams: Streams


class Stations(Body):
    """All stations, and what a client may do here."""

    stations: list[StationSummary]
    control: Annotated[
        Literal["off", "token", "open"], Meta(description="Whether controls can be changed, and if that takes a token.")
    ]
    tracks: Annotated[bool, Meta(description="Whether tracks are made to order for clients that may change controls.")]


class ControlState(Body, kw_only=True):
    """A control: its value, its default and its range."""

    value: ControlValue
    pending: Annotated[
        bool, Meta(description="Whether the value waits until the music goes on, because something stands in for it.")
    ]
    default: ControlValue
    kind: Literal["float", "int", "bool", "choice"]
    low: float | UnsetType = UNSET
    high: float | UnsetType = UNSET
    choices: list[str] | UnsetType = UNSET
    unit: str
    lands: Annotated[
        Lands,
        Meta(description="A change takes effect at the next bar line, at the next chord loop, or at once in the mix."),
    ]
    group: Annotated[Group, Meta(description="The section of the page that shows the control.")]
    help: str
    allowed: Annotated[str, Meta(description="The allowed values in words.")]


class StationHealth(Body):
    """Counters of a station since the radio started."""

    reserve: Annotated[float, Meta(description="Seconds of audio rendered ahead of the live edge.")]
    underruns: Annotated[int, Meta(description="Number of times that audio came too late for the live edge.")]
    late: Annotated[float, Meta(description="Seconds by which audio came too late, in all.")]
    restarts: Annotated[int, Meta(description="Number of workers that were replaced.")]
    encoder_restarts: Annotated[int, Meta(description="Number of encoders that were replaced.")]
    joined: Annotated[int, Meta(description="Number of listeners that connected.")]
    slow_disconnects: Annotated[int, Meta(description="Number of listeners disconnected because they were too slow.")]
    starved: Annotated[int, Meta(description="Number of listeners whose players have nothing to play now.")]
    muted: Annotated[bool, Meta(description="Whether every layer is muted, so that the station is silent on purpose.")]


class Push(Body):
    """A connection that sends the station to another server."""

    to: Annotated[str, Meta(description="Address without user and key.")]
    state: Literal["connecting", "connected", "reconnecting", "ended"]
    since: Annotated[Time, Meta(description="When the state began.")]
    attempts: int
    connections: int
    sent: Annotated[int, Meta(description="Bytes that the server has acknowledged.")]
    error: Annotated[str | None, Meta(description="Why the last connection ended or could not be made.")]


class StreamStart(Body):
    """The start of the audio stream of a `sid`."""

    sid: str
    first: Annotated[int | None, Meta(description="Null while no such stream is known.")]


class Station(StationSummary, kw_only=True):
    """A station in full."""

    controls: Annotated[
        dict[str, ControlState],
        Meta(extra_json_schema={"required": list(CONTROLS), "propertyNames": {"enum": list(CONTROLS)}}),
    ]
    health: StationHealth
    pushes: list[Push]
    stream: StreamStart | UnsetType = UNSET


class RecentTrack(Track, tag_field="kind", tag="track"):
    """A track that began lately."""


class RecentBar(BarEvent, tag_field="kind", tag="bar"):
    """A bar that began lately."""


class RecentNote(PlayedNoteEvent, tag_field="kind", tag="note"):
    """A note that started or ended lately."""


RecentEvent: TypeAlias = RecentTrack | RecentBar | RecentNote


class NowEvent(Station, kw_only=True):
    """The first event of an event stream: the station in full, and what happened lately."""

    recent: Annotated[list[RecentEvent], Meta(description="In the order of their frames.")]


class LandedControl(Body):
    """The new value of a control, and the position at which it takes effect."""

    @classmethod
    def of(cls, value: ControlValue, landing: Landing | None) -> LandedControl:
        """Return a value that takes effect at `landing`, or waits until the music goes on."""
        return cls(value, None, None) if landing is None else cls(value, landing.bar, landing.frame)

    value: ControlValue
    bar: Annotated[int | None, Meta(description=_WAITS)]
    frame: Annotated[int | None, Meta(description=_WAITS)]


class Landings(Body):
    """The positions at which changed controls take effect."""

    controls: dict[str, LandedControl]
    live: LiveEdge
    sample_rate: SampleRate


class SectionChange(Body):
    """A request to move on, or to stay."""

    action: Annotated[
        Literal["next", "hold", "release"],
        Meta(description="`next` begins the next section; `hold` stays in this loop until `release`."),
    ]


class ActionLanding(Body):
    """The position from which an action counts."""

    bar: int
    frame: Frame
    live: LiveEdge
    sample_rate: SampleRate
