"""Make a track: somebody asks for music of their own, and a process beside the stations renders it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from radio.audio.soundfont import presets
from radio.errors import AudioError
from radio.music.instruments import FAMILIES, NAMES
from radio.server.broadcast.channels import CHANNELS
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.body import json_object
from radio.server.http.operation import operation
from radio.server.http.problems import ProblemError
from radio.server.routes import track_orders as orders
from radio.settings.station import StationSettings
from radio.station.rendering import RenderOrder
from radio.types import JsonValue, Seconds
from radio.worker.job_queue import Job, JobQueue

TRACK_JOBS: web.AppKey[JobQueue | None] = web.AppKey("tracks")
"""None where the config says `tracks: false`."""

WAITING: Final = 15
"""Orders that may wait beside the one that is made."""

LIMIT: Final[Seconds] = 3600.0
"""An order that takes longer is given up: the longest one takes an eighth of that beside three stations."""

_KINDS: Final = {
    ".mid": "audio/midi",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".opus": "audio/ogg",
}


def routes() -> list[web.RouteDef]:
    """The addresses of tracks that are made to order."""
    return [
        web.get("/api/tracks", choices),
        web.post("/api/tracks", ask),
        web.get("/api/tracks/{id}", look),
        web.delete("/api/tracks/{id}", cancel),
        web.get("/api/tracks/{id}/{file}", fetch),
    ]


def attach(app: web.Application, *, makes: bool) -> None:
    """Give the application its workshop, which makes one order at a time and ends with it."""
    jobs = app[TRACK_JOBS] = (
        JobQueue(max_waiting=WAITING, time_limit=LIMIT, max_result_bytes=2 * orders.LARGEST) if makes else None
    )

    async def stop(_: web.Application) -> None:
        if jobs is not None:
            await jobs.stop()

    app.on_cleanup.append(stop)


@operation("What a track may be", tag="files", answer="TrackChoices", problems={403: "Tracks are switched off."})
async def choices(request: web.Request) -> web.Response:
    """What a track may be: instruments by family, formats and limits.

    `stations` has each station's own instrument, and the programs that its soundfont holds.
    """
    _jobs(request)
    settings = _settings(request)
    fonts = {each.soundfont for each in settings.values()}
    held = {font: await asyncio.to_thread(_programs, font) for font in fonts}
    stations: dict[str, JsonValue] = {
        name: {"instrument": each.keys_program, "instruments": [*held[each.soundfont]]}
        for name, each in settings.items()
    }
    families: list[JsonValue] = [{"name": family, "instruments": list(names)} for family, names in FAMILIES.items()]
    return _json(
        {
            "stations": stations,
            "families": families,
            "formats": list(orders.FORMATS),
            "seconds": list(orders.SECONDS),
            "count": list(orders.COUNT),
            "seed": list(orders.SEED),
        }
    )


@operation(
    "Make a track",
    tag="files",
    body="TrackOrder",
    answer="TrackJob",
    status=202,
    guarded=True,
    problems={503: "As many wait already as may."},
)
async def ask(request: web.Request) -> web.Response:
    """Make a track.

    The music is the station's, from another seed, with another instrument and other controls if so wished; `count`
    tracks come from as many seeds in a row. Orders are made one after the other, beside the stations; results are kept
    for an hour, and fewer than that when many ask. Whoever knows the `id` may read and end the order.
    """
    jobs = _jobs(request)
    request.app[AUTHORIZATION].admit(request)
    asked = await json_object(request, '{"station": "chill", "seconds": 120, "formats": ["mp3"]}')
    job = jobs.submit(orders.order(asked, _settings(request)))
    return _json(_state(jobs, job), status=202, location=f"/api/tracks/{job.id}")


@operation("How far an order is", tag="files", answer="TrackJob", problems={403: "Tracks are switched off."})
async def look(request: web.Request) -> web.Response:
    """How far an order is, and its files once it is done."""
    jobs = _jobs(request)
    return _json(_state(jobs, _job(request, jobs)))


@operation("End an order", tag="files", status=204, guarded=True)
async def cancel(request: web.Request) -> web.Response:
    """End an order that waits or is being made; delete the files of one that is done."""
    jobs = _jobs(request)
    request.app[AUTHORIZATION].admit(request)
    await jobs.remove(_job(request, jobs))
    return web.Response(status=204)


@operation(
    "One file of an order",
    tag="files",
    media=tuple(_KINDS.values()),
    problems={403: "Tracks are switched off."},
)
async def fetch(request: web.Request) -> web.StreamResponse:
    """One file of an order that is done."""
    jobs = _jobs(request)
    job = _job(request, jobs)
    name = request.match_info["file"]
    names = _order(job).names if job.state == "done" else []
    if job.result is None or name not in names:
        allowed = ", ".join(names) or "none yet"
        raise ProblemError(404, "no_file", "this order has no such file", field="file", allowed=allowed)
    path = job.result / name
    headers = {
        "Content-Type": _KINDS[path.suffix],
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, max-age=3600",
    }
    return web.FileResponse(path, headers=headers)


def _jobs(request: web.Request) -> JobQueue:
    jobs = request.app[TRACK_JOBS]
    if jobs is None:
        raise ProblemError(403, "tracks_off", "this radio makes no tracks to order")
    return jobs


def _job(request: web.Request, jobs: JobQueue) -> Job:
    if (job := jobs.get(request.match_info["id"])) is None:
        message = "there is no such order: it is kept for an hour once it is done, fewer when many ask"
        raise ProblemError(404, "unknown_order", message, field="id", allowed="what POST /api/tracks answered")
    return job


def _order(job: Job) -> RenderOrder:
    if not isinstance(job.task, RenderOrder):
        raise TypeError(f"a {type(job.task).__name__} is no order")
    return job.task


def _settings(request: web.Request) -> Mapping[str, StationSettings]:
    return {name: channel.settings for name, channel in request.app[CHANNELS].items()}


def _programs(font: Path) -> list[int]:
    try:
        held = presets(font)
    except AudioError:
        return []  # an order will say what is wrong with it
    return sorted(number for bank, number in held if bank == 0 and number < len(NAMES))


def _state(jobs: JobQueue, job: Job) -> dict[str, JsonValue]:
    order = _order(job)
    files: list[JsonValue] = []
    if job.state == "done" and job.result is not None:
        files = [
            {"name": name, "url": f"/api/tracks/{job.id}/{name}", "bytes": (job.result / name).stat().st_size}
            for name in order.names
        ]
    return {
        "id": job.id,
        "state": job.state,
        "place": jobs.jobs_ahead(job),
        "progress": round(job.progress, 3),
        "fault": job.error,
        "files": files,
        "station": order.settings.name,
        "instrument": NAMES[order.settings.keys_program],
        "seconds": order.seconds,
        "seeds": list(order.seeds),
    }


def _json(data: Mapping[str, JsonValue], *, status: int = 200, location: str | None = None) -> web.Response:
    headers = {"Cache-Control": "no-store"} | ({"Location": location} if location else {})
    return web.json_response(data, status=status, headers=headers)
