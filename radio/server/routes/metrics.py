"""`/metrics`: metrics for Prometheus (text exposition format 0.0.4)."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from aiohttp import web

from radio import __version__
from radio.audio.signal_guard import Fault
from radio.push.status import PushStatus
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channels import CHANNELS
from radio.server.broadcast.pushes import PUSHES
from radio.server.http.operation import operation
from radio.server.routes.export_queue import EXPORT_JOBS
from radio.server.routes.health import LOOP_LAG
from radio.server.routes.tracks import TRACK_JOBS
from radio.stream.formats.codecs import CODECS
from radio.worker.job_queue import State

Sample: TypeAlias = tuple[Mapping[str, str], float]
"""Labels and a value."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric with a sample for each set of labels. The name of a counter ends in `_total`."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: Iterable[Sample]


_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PAGE = resource.getpagesize()


def routes() -> list[web.RouteDef]:
    """Return the route of the metrics."""
    return [web.get("/metrics", get_metrics)]


@operation("Get metrics for Prometheus", tag="health", media=("text/plain",))
async def get_metrics(request: web.Request) -> web.Response:
    """Get metrics such as listeners, reserves, delays and restarts by station."""
    app = request.app
    all_metrics = [*_of_stations(app[CHANNELS]), *_of_pushes(app[PUSHES].all_statuses()), *_of_process(app)]
    return web.Response(text=text(all_metrics), headers={"Content-Type": _CONTENT_TYPE, "Cache-Control": "no-store"})


def text(metrics: Iterable[Metric]) -> str:
    """Return metrics in the text format."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for labels, value in metric.samples:
        labels_text = ",".join(f'{name}="{_escaped(word)}"' for name, word in labels.items())
        yield f"{metric.name}{{{labels_text}}} {value:.17g}" if labels_text else f"{metric.name} {value:.17g}"


def _escaped(word: str) -> str:
    return word.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _of_stations(channels: Mapping[str, Channel]) -> Iterator[Metric]:
    def samples(value: Callable[[Channel], float]) -> list[Sample]:
        return [({"station": name}, float(value(channel))) for name, channel in channels.items()]

    mounts = [
        ({"station": name, "format": format_}, channel.mounts.get(format_))
        for name, channel in channels.items()
        for format_ in CODECS
    ]
    tiers = [
        ({"station": name, "tier": tier}, seconds)
        for name, channel in channels.items()
        for tier, seconds in channel.tiers.seconds.items()
    ]
    yield Metric("radio_tier_seconds_total", "counter", "Time for which each tier was on the air.", tiers)
    now = [(labels, float(channels[labels["station"]].tiers.current == labels["tier"])) for labels, _ in tiers]
    yield Metric("radio_tier", "gauge", "Sound on the air: the music, its last bars again, or only textures.", now)
    faults = [
        ({"station": name, "fault": fault}, float(channel.faults[fault]))
        for name, channel in channels.items()
        for fault in get_args(Fault)
    ]
    yield Metric("radio_faults_total", "counter", "Failures of a station while it played.", faults)
    on_air = samples(lambda channel: channel.edge.on_air)
    yield Metric("radio_on_air", "gauge", "Whether audio was released in the last two seconds.", on_air)
    listeners = [(labels, float(mount.relay.listeners if mount else 0)) for labels, mount in mounts]
    listeners += [
        ({"station": name, "format": "hls"}, float(len(channel.hls_listeners))) for name, channel in channels.items()
    ]
    yield Metric("radio_listeners", "gauge", "Listeners connected to a stream.", listeners)
    joined = [(labels, float(mount.relay.counts.joined if mount else 0)) for labels, mount in mounts]
    yield Metric("radio_listeners_joined_total", "counter", "Listeners that connected.", joined)
    slow = [(labels, float(mount.relay.counts.slow_disconnects if mount else 0)) for labels, mount in mounts]
    yield Metric("radio_slow_disconnects_total", "counter", "Listeners disconnected because they were too slow.", slow)
    starved = samples(lambda channel: channel.starved)
    yield Metric("radio_starved_listeners", "gauge", "Listeners whose players have nothing to play.", starved)
    starvations = [(labels, float(mount.relay.counts.starved if mount else 0)) for labels, mount in mounts]
    yield Metric("radio_starvations_total", "counter", "Times that a listener's player ran dry.", starvations)
    muted = samples(lambda channel: channel.muted)
    yield Metric("radio_muted", "gauge", "Whether every layer is muted.", muted)
    followers = samples(lambda channel: len(channel.subscribers))
    yield Metric("radio_event_streams", "gauge", "Clients that follow the station's events.", followers)
    reserve = samples(lambda channel: channel.edge.reserve)
    yield Metric("radio_reserve_seconds", "gauge", "Audio rendered ahead of the live edge.", reserve)
    rewinds = samples(lambda channel: channel.rewinds)
    help_ = "Times that audio in reserve was rendered again because of a change."
    yield Metric("radio_rewinds_total", "counter", help_, rewinds)
    underruns = samples(lambda channel: channel.edge.underruns)
    yield Metric("radio_underruns_total", "counter", "Times that audio was late for the live edge.", underruns)
    late = samples(lambda channel: channel.edge.dead_air)
    yield Metric("radio_late_seconds_total", "counter", "Time for which listeners without a burst heard nothing.", late)
    restarts = samples(lambda channel: channel.restarts)
    yield Metric("radio_worker_restarts_total", "counter", "Workers that were replaced.", restarts)
    encoders = samples(lambda channel: channel.encoder_restarts)
    yield Metric("radio_encoder_restarts_total", "counter", "Encoders that were replaced.", encoders)


def _of_pushes(pushes: Mapping[str, tuple[PushStatus, ...]]) -> Iterator[Metric]:
    def samples(value: Callable[[PushStatus], float]) -> list[Sample]:
        return [
            ({"station": name, "push": str(place), "to": status.to}, float(value(status)))
            for name, statuses in pushes.items()
            for place, status in enumerate(statuses)
        ]

    connected = samples(lambda status: status.state == "connected")
    yield Metric("radio_push_connected", "gauge", "Whether the push is connected.", connected)
    attempts = samples(lambda status: status.attempts)
    yield Metric("radio_push_attempts_total", "counter", "Connections that were attempted.", attempts)
    connections = samples(lambda status: status.connections)
    yield Metric("radio_push_connections_total", "counter", "Connections that the server accepted.", connections)
    sent = samples(lambda status: status.sent)
    yield Metric("radio_push_sent_bytes_total", "counter", "Bytes that the server has acknowledged.", sent)


def _of_process(app: web.Application) -> Iterator[Metric]:
    monitor = app[LOOP_LAG]
    kinds = {"export": app[EXPORT_JOBS], "track": app[TRACK_JOBS]}
    states = [
        ({"kind": kind, "state": state}, float(jobs.count(state)))
        for kind, jobs in kinds.items()
        if jobs is not None
        for state in get_args(State)
    ]
    yield Metric("radio_jobs", "gauge", "Jobs by state.", states)
    yield Metric(
        "radio_event_loop_lag_seconds",
        "gauge",
        "Longest delay of the event loop in the last half minute.",
        [({}, monitor.lag)],
    )
    memory: list[Sample] = [({"process": "front"}, _resident(os.getpid()))]
    memory += [
        ({"process": f"station {name}"}, _resident(channel.pid))
        for name, channel in app[CHANNELS].items()
        if channel.pid is not None
    ]
    yield Metric("radio_memory_bytes", "gauge", "Resident memory of each process.", memory)
    yield Metric("radio_info", "gauge", "The version of the radio.", [({"version": __version__}, 1.0)])


def _resident(pid: int) -> float:
    """Return the resident memory of a process in bytes (proc(5), statm); 0 if it has ended."""
    try:
        return float(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE)
    except (OSError, IndexError):
        return 0.0
