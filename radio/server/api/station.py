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
    "Null while the station cannot play its music: the change is stored, and takes effect at the bar where the music "
    "resumes."
)


class Track(TrackEvent, kw_only=True):
    """A current or past track."""

    started_at: Annotated[Time, Meta(description="Time when the track began at the live edge.")]


class CurrentMusic(Body):
    """The track and the bar at the live edge; null before the first."""

    track: Track | None
    bar: BarEvent | None


class Art(Body):
    """The picture of a station, and matching hues in degrees."""

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
    """A summary of a station."""

    name: str
    title: str
    description: str
    on_air: bool
    tier: Annotated[
        Tier,
        Meta(
            description="The sound at the live edge: the models' music or, while the station cannot play it, the last "
            "bars again, or only textures."
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
    """All stations, and the changes that clients may make."""

    stations: list[StationSummary]
    control: Annotated[
        Literal["off", "token", "open"],
        Meta(description="Whether controls can be changed, and whether that requires a token."),
    ]
    tracks: Annotated[bool, Meta(description="Whether clients that may change controls can order tracks.")]


class ControlState(Body, kw_only=True):
    """A control: its value, its default and its range."""

    value: ControlValue
    pending: Annotated[
        bool, Meta(description="Whether the value takes effect only when the music, now interrupted, resumes.")
    ]
    default: ControlValue
    kind: Literal["float", "int", "bool", "choice"]
    low: float | UnsetType = UNSET
    high: float | UnsetType = UNSET
    choices: list[str] | UnsetType = UNSET
    unit: str
    lands: Annotated[
        Lands,
        Meta(description="A change takes effect at the next bar line, the next chord loop, or immediately in the mix."),
    ]
    group: Annotated[Group, Meta(description="The section of the page that shows the control.")]
    help: str
    allowed: Annotated[str, Meta(description="The allowed values in words.")]


class StationHealth(Body):
    """Counters of a station since the radio started."""

    reserve: Annotated[float, Meta(description="Seconds of audio rendered ahead of the live edge.")]
    underruns: Annotated[int, Meta(description="Number of times that audio was late for the live edge.")]
    late: Annotated[float, Meta(description="Total seconds by which audio was late.")]
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
    since: Annotated[Time, Meta(description="Time when the state began.")]
    attempts: int
    connections: int
    sent: Annotated[int, Meta(description="Bytes that the server has acknowledged.")]
    error: Annotated[str | None, Meta(description="Reason why the last connection ended or failed.")]


class StreamStart(Body):
    """The first frame of the audio stream with a `sid`."""

    sid: str
    first: Annotated[int | None, Meta(description="Null if no such stream is known.")]


class Station(StationSummary, kw_only=True):
    """The full description of a station."""

    controls: Annotated[
        dict[str, ControlState],
        Meta(extra_json_schema={"required": list(CONTROLS), "propertyNames": {"enum": list(CONTROLS)}}),
    ]
    health: StationHealth
    pushes: list[Push]
    stream: StreamStart | UnsetType = UNSET


class RecentTrack(Track, tag_field="kind", tag="track"):
    """A track that began recently."""


class RecentBar(BarEvent, tag_field="kind", tag="bar"):
    """A bar that began recently."""


class RecentNote(PlayedNoteEvent, tag_field="kind", tag="note"):
    """A note that started or ended recently."""


RecentEvent: TypeAlias = RecentTrack | RecentBar | RecentNote


class NowEvent(Station, kw_only=True):
    """The first event of an event stream: the full station, and its recent events."""

    recent: Annotated[list[RecentEvent], Meta(description="In order of frame.")]


class LandedControl(Body):
    """The new value of a control, and the position at which it takes effect."""

    @classmethod
    def of(cls, value: ControlValue, landing: Landing | None) -> LandedControl:
        """Return a value that takes effect at `landing` or, without one, when the music resumes."""
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
    """A request to begin the next section, or to hold the current loop."""

    action: Annotated[
        Literal["next", "hold", "release"],
        Meta(
            description="`next` begins the next section; "
            "`hold` repeats the current loop until `release`, `next` or a skip."
        ),
    ]


class ActionLanding(Body):
    """The position where an action takes effect."""

    bar: int
    frame: Frame
    live: LiveEdge
    sample_rate: SampleRate
