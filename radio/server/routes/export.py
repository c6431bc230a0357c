"""`/api/stations/{station}/export`: the last minutes as a file, rendered again from the notes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, TypeAlias

from aiohttp import web
from msgspec import Meta

from radio.errors import ServerError
from radio.server.broadcast.channels import channel_of
from radio.server.broadcast.journal import LONGEST
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.operation import operation
from radio.server.http.query import QueryParameter
from radio.server.routes.export_queue import EXPORT_JOBS, GUEST_LIMITS, wait_for
from radio.station import transcript
from radio.station.tasks import Export
from radio.types import Seconds

SHORTEST: Final[Seconds] = 1.0
DEFAULT: Final[Seconds] = 180.0

ExportFormat: TypeAlias = Literal["mid", "wav", "flac", "mp3", "opus", "stems"]

_FORMATS: Final[dict[ExportFormat, tuple[str, str]]] = {
    "mid": (".mid", "audio/midi"),
    "wav": (".wav", "audio/wav"),
    "flac": (".flac", "audio/flac"),
    "mp3": (".mp3", "audio/mpeg"),
    "opus": (".opus", "audio/ogg"),
    "stems": (".zip", "application/zip"),
}
"""File name suffix and content type of each format."""

_SECONDS: Final = QueryParameter[float](
    "seconds",
    Annotated[float, Meta(description=f"Length in seconds. [{DEFAULT:g}]", ge=SHORTEST, le=LONGEST)],
    DEFAULT,
)
_FORMAT: Final = QueryParameter[ExportFormat](
    "format",
    Annotated[ExportFormat, Meta(description="`stems` is a zip with a WAV file of each layer. [wav]")],
    "wav",
)


def routes() -> list[web.RouteDef]:
    """Return the route of exports."""
    return [web.get("/api/stations/{station}/export", export)]


@operation(
    "Export the last minutes",
    tag="files",
    media=tuple(content_type for _, content_type in _FORMATS.values()),
    query=(_SECONDS, _FORMAT),
    problems={
        403: "A page of another site sent the request.",
        429: "The client has reached the limits of guests, or sent many wrong tokens.",
        503: "The station has not played anything yet, the queue is full, or there is no folder for files.",
        507: "The disk is full.",
    },
)
async def export(request: web.Request) -> web.StreamResponse:
    """Export the last minutes before the live edge, starting at a bar line.

    The aired notes are rendered again, which takes a few seconds per minute of audio; `mid` takes no time. Exports are
    made one at a time, and cancelled if the client disconnects. A client without the control token may export 20
    minutes of audio per hour. The header `X-First-Frame` has the first frame of the file.
    """
    channel = channel_of(request)
    seconds, format_ = _SECONDS.read(request), _FORMAT.read(request)
    request.app[AUTHORIZATION].check_origin(request)
    ending, content_type = _FORMATS[format_]
    first, passages = channel.journal.passages(channel.runs, channel.edge.live, seconds)
    if not passages:
        raise ServerError(f"{channel.settings.title} has not played anything yet")
    name = f"{channel.settings.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    headers = {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="{name}{ending}"',
        "Cache-Control": "no-store",
        "X-First-Frame": str(first),
    }
    if request.method == "HEAD":
        return web.Response(headers=headers)
    if format_ == "mid":
        return web.Response(body=await asyncio.to_thread(transcript.encode, passages), headers=headers)
    title = channel.now_playing.title_at(channel.edge.live) or channel.settings.title
    with request.app[GUEST_LIMITS].admit(request, seconds) as spend:
        job = request.app[EXPORT_JOBS].submit(Export(passages, name, ending, title))
        spend()
        await wait_for(request, job)
    if job.result is None:
        raise ServerError("the file was deleted to make room for newer ones; try again")
    # Not a FileResponse: it would honor a Range header, whose ranges refer to an earlier rendering.
    file = job.result.open("rb")
    await request.app[EXPORT_JOBS].remove(job)  # deletes the file; it can still be read while it is open
    return web.Response(body=file, headers=headers)
