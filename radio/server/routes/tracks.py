"""`/api/tracks`: music made to order in a separate process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

from aiohttp import web

from radio.audio.soundfont import presets
from radio.errors import AudioError
from radio.music.instruments import FAMILIES, NAMES
from radio.server.api import tracks as api
from radio.server.broadcast.channels import CHANNELS
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.body import read_body
from radio.server.http.operation import operation
from radio.server.http.problems import ProblemError
from radio.server.http.request_log import log_change
from radio.server.http.responses import json_response
from radio.server.routes.track_orders import MAX_BYTES, render_order, station_names
from radio.settings.station import StationSettings
from radio.station.extent import TimedExcerpt, WholeTracks
from radio.station.tasks import RenderOrder
from radio.types import Seconds
from radio.worker.job_queue import Job, JobQueue

TRACK_JOBS: web.AppKey[JobQueue | None] = web.AppKey("track_jobs")
"""None if the config says `tracks: false`."""

MAX_WAITING: Final = 15
"""Orders that may wait while another is made."""

TIME_LIMIT: Final[Seconds] = 3600.0
"""Maximum time of an order. The longest order takes an eighth of it next to three stations."""

_CONTENT_TYPES: Final = {
    ".mid": "audio/midi",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".opus": "audio/ogg",
}
_HEADERS: Final = {"Cache-Control": "no-store"}
_DISABLED: Final = {403: "Tracks are disabled."}


def routes() -> list[web.RouteDef]:
    """Return the routes below /api/tracks."""
    return [
        web.get("/api/tracks", get_choices),
        web.post("/api/tracks", create_order),
        web.get("/api/tracks/{id}", get_order),
        web.delete("/api/tracks/{id}", delete_order),
        web.get("/api/tracks/{id}/{file}", get_file),
    ]


def attach(app: web.Application, *, enabled: bool) -> None:
    """Add a queue to the application, which makes one order at a time."""
    jobs = app[TRACK_JOBS] = (
        JobQueue(max_waiting=MAX_WAITING, time_limit=TIME_LIMIT, max_result_bytes=2 * MAX_BYTES) if enabled else None
    )

    async def stop(_: web.Application) -> None:
        if jobs is not None:
            await jobs.stop()

    app.on_cleanup.append(stop)


@operation("List the choices for an order", tag="files", answer=api.TrackChoices, problems=_DISABLED)
async def get_choices(request: web.Request) -> web.Response:
    """List the instruments by family, the formats and the limits of an order."""
    _jobs(request)
    settings = _settings(request)
    programs = {
        soundfont: await asyncio.to_thread(_programs, soundfont)
        for soundfont in {station.soundfont for station in settings.values()}
    }
    body = api.TrackChoices(
        stations={
            name: api.StationInstruments(station.keys_programs[0], programs[station.soundfont])
            for name, station in settings.items()
        },
        families=[api.InstrumentFamily(family, list(names)) for family, names in FAMILIES.items()],
        formats=list(get_args(api.TrackFormat)),
        tracks=list(api.TRACKS),
        seconds=list(api.SECONDS),
        count=list(api.COUNT),
        seed=list(api.SEED),
    )
    return json_response(body, headers=_HEADERS)


@operation(
    "Order tracks",
    tag="files",
    body=api.TrackOrder,
    answer=api.TrackJob,
    status=202,
    guarded=True,
    problems={503: "The queue is full."},
)
async def create_order(request: web.Request) -> web.Response:
    """Order tracks.

    The music is like the station's, from another seed and, if the order says so, with a prompt, another instrument and
    other controls. A file contains one whole track, `tracks` of them, or `seconds` of music, which fades where a phrase
    ends. Each of `count` files uses the next seed. Orders are made one at a time, next to the stations. Results are
    kept for an hour, or less if there are many. A client that knows the `id` may read and delete the order.
    """
    jobs = _jobs(request)
    request.app[AUTHORIZATION].require(request)
    settings = _settings(request)
    order = await read_body(
        request,
        api.TrackOrder,
        example='{"station": "chill", "formats": ["mp3"]}',
        allowed={"station": station_names(settings)},
    )
    job = jobs.submit(await asyncio.to_thread(render_order, order, settings))
    log_change(request, f"order {job.id} of tracks like station '{order.station}'")
    return json_response(_job_body(jobs, job), status=202, headers={**_HEADERS, "Location": f"/api/tracks/{job.id}"})


@operation("Get the state of an order", tag="files", answer=api.TrackJob, problems=_DISABLED)
async def get_order(request: web.Request) -> web.Response:
    """Get the state of an order, and its files when it is done."""
    jobs = _jobs(request)
    return json_response(_job_body(jobs, _job(request, jobs)), headers=_HEADERS)


@operation("Delete an order", tag="files", status=204, guarded=True)
async def delete_order(request: web.Request) -> web.Response:
    """Cancel an unfinished order, or delete the files of a finished one."""
    jobs = _jobs(request)
    request.app[AUTHORIZATION].require(request)
    await jobs.remove(_job(request, jobs))
    return web.Response(status=204)


@operation("Download a file of an order", tag="files", media=tuple(_CONTENT_TYPES.values()), problems=_DISABLED)
async def get_file(request: web.Request) -> web.StreamResponse:
    """Download a file of a finished order."""
    jobs = _jobs(request)
    job = _job(request, jobs)
    name = request.match_info["file"]
    names = _files(job)
    if job.result is None or name not in names:
        allowed = ", ".join(names) or "none yet"
        raise ProblemError(404, "no_file", "this order has no such file", field="file", allowed=allowed)
    path = job.result / name
    headers = {
        "Content-Type": _CONTENT_TYPES[path.suffix],
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, max-age=3600",
    }
    return web.FileResponse(path, headers=headers)


def _jobs(request: web.Request) -> JobQueue:
    jobs = request.app[TRACK_JOBS]
    if jobs is None:
        raise ProblemError(403, "tracks_off", "tracks are disabled on this radio (tracks: false)")
    return jobs


def _job(request: web.Request, jobs: JobQueue) -> Job:
    if (job := jobs.get(request.match_info["id"])) is None:
        message = "there is no such order: a finished order is kept for an hour, or less if there are many"
        raise ProblemError(404, "unknown_order", message, field="id", allowed="the id that POST /api/tracks returned")
    return job


def _order(job: Job) -> RenderOrder:
    if not isinstance(job.task, RenderOrder):
        raise TypeError(f"the job is a {type(job.task).__name__}, not a RenderOrder")
    return job.task


def _files(job: Job) -> list[str]:
    """Return the names of a finished order's files, except any that a cleaner of temporary files has deleted."""
    if job.state != "done" or job.result is None:
        return []
    return [name for name in _order(job).names if (job.result / name).is_file()]


def _settings(request: web.Request) -> Mapping[str, StationSettings]:
    return {name: channel.settings for name, channel in request.app[CHANNELS].items()}


def _programs(soundfont: Path) -> list[int]:
    try:
        numbers = presets(soundfont)
    except AudioError:
        return []  # an order reports the problem with the file
    return sorted(number for bank, number in numbers if bank == 0 and number < len(NAMES))


def _job_body(jobs: JobQueue, job: Job) -> api.TrackJob:
    order = _order(job)
    files: list[api.TrackFile] = []
    if job.result is not None:
        files = [
            api.TrackFile(name, f"/api/tracks/{job.id}/{name}", (job.result / name).stat().st_size)
            for name in _files(job)
        ]
    return api.TrackJob(
        id=job.id,
        state=job.state,
        place=jobs.jobs_ahead(job),
        progress=round(job.progress, 3),
        fault=job.error,
        files=files,
        station=order.settings.name,
        instrument=NAMES[order.settings.keys_programs[0]],
        tracks=order.extent.count if isinstance(order.extent, WholeTracks) else None,
        seconds=order.extent.seconds if isinstance(order.extent, TimedExcerpt) else None,
        seeds=list(order.seeds),
        not_understood=list(order.not_understood),
    )
