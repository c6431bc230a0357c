"""The bodies that describe a station, built from its channel."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from radio.push.status import PushStatus
from radio.server.api.station import (
    Art,
    ControlState,
    NowEvent,
    Push,
    Station,
    StationHealth,
    StationSummary,
    Streams,
    StreamStart,
)
from radio.server.artwork import artwork_path, palette
from radio.server.broadcast.channel import Channel
from radio.settings.controls import CONTROLS
from radio.types import SAMPLE_RATE


def station_summary(channel: Channel) -> StationSummary:
    """Return the summary of a station."""
    settings, edge = channel.settings, channel.edge
    colors = palette(settings)
    return StationSummary(
        name=settings.name,
        title=settings.title,
        description=settings.description,
        on_air=edge.on_air,
        tier=channel.tiers.current,
        now=channel.now_playing.current(),
        live=edge.live,
        sample_rate=SAMPLE_RATE,
        listeners=channel.listeners,
        art=Art(image=artwork_path(settings), hue=colors.hue, ground=colors.ground),
        export=f"/api/stations/{settings.name}/export",
        streams=Streams(
            opus=f"/{settings.name}.opus",
            mp3=f"/{settings.name}.mp3",
            aac=f"/{settings.name}.aac",
            hls=f"/{settings.name}/hls/index.m3u8",
        ),
    )


def station_body(channel: Channel, pushes: Sequence[PushStatus], *, stream: StreamStart | UnsetType = UNSET) -> Station:
    """Return the full description of a station."""
    summary = msgspec.structs.asdict(station_summary(channel))
    return Station(
        **summary, controls=_controls(channel), health=_health(channel), pushes=_pushes(pushes), stream=stream
    )


def now_event(channel: Channel, pushes: Sequence[PushStatus]) -> NowEvent:
    """Return the first event of an event stream."""
    return NowEvent(**msgspec.structs.asdict(station_body(channel, pushes)), recent=channel.now_playing.recent())


def _controls(channel: Channel) -> dict[str, ControlState]:
    values, defaults = channel.controls.as_json(), channel.settings.controls.as_json()
    return {
        name: ControlState(
            value=values[name],  # type: ignore[arg-type]  # no control is a list
            pending=name in channel.postponed,
            default=defaults[name],  # type: ignore[arg-type]  # likewise
            kind=control.kind,
            low=UNSET if control.choices else control.low,
            high=UNSET if control.choices else control.high,
            choices=[*control.choices] if control.choices else UNSET,
            unit=control.unit,
            lands=control.lands,
            group=control.group,
            help=control.help,
            allowed=control.allowed,
        )
        for name, control in CONTROLS.items()
    }


def _health(channel: Channel) -> StationHealth:
    counts = [mount.relay.counts for mount in channel.mounts.values()]
    return StationHealth(
        reserve=round(channel.edge.reserve, 3),
        underruns=channel.edge.underruns,
        late=round(channel.edge.total_delay, 3),
        restarts=channel.restarts,
        encoder_restarts=channel.encoder_restarts,
        joined=sum(count.joined for count in counts),
        slow_disconnects=sum(count.slow_disconnects for count in counts),
        starved=channel.starved,
        muted=channel.muted,
    )


def _pushes(statuses: Sequence[PushStatus]) -> list[Push]:
    return [msgspec.convert(status.as_json(), Push) for status in statuses]
