"""The last minutes as a file: rendered again, exactly what was composed."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from radio.errors import ServerError
from radio.server.broadcast.channels import channel_of
from radio.server.broadcast.journal import LONGEST
from radio.server.http import query, schemas
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.operation import Query, operation
from radio.server.routes.export_queue import EXPORT_JOBS, awaited
from radio.station import transcript
from radio.station.replay import AiredPassage, Export
from radio.types import Seconds

SHORTEST: Final[Seconds] = 1.0
USUAL: Final[Seconds] = 180.0

_FORMATS: Final = {
    "mid": (".mid", "audio/midi"),
    "wav": (".wav", "audio/wav"),
    "flac": (".flac", "audio/flac"),
    "mp3": (".mp3", "audio/mpeg"),
    "opus": (".opus", "audio/ogg"),
    "stems": (".zip", "application/zip"),
}
"""Ending and type of each."""


def routes() -> list[web.RouteDef]:
    """The address of exports."""
    return [web.get("/api/stations/{station}/export", export)]


@operation(
    "The last minutes as a file",
    tag="files",
    media=tuple(media for _, media in _FORMATS.values()),
    query=(
        Query("seconds", schemas.number(minimum=SHORTEST, maximum=LONGEST, default=USUAL), "how much of the past"),
        Query("format", schemas.text(enum=list(_FORMATS), default="wav"), "stems: a WAV file of each layer, in a zip"),
    ),
    problems={403: "A page of another site asks.", 503: "Nothing has been played yet, or too many wait already."},
)
async def export(request: web.Request) -> web.StreamResponse:
    """The last minutes before the live edge, from a bar line on.

    The notes are those that were heard, played again: the answer takes some seconds for each minute of audio, and none
    for MIDI. One export is made at a time; whoever hangs up is not waited for. The header `X-First-Frame` is the
    mount's frame that the file begins with.
    """
    channel = channel_of(request)
    seconds = query.number(request, "seconds", SHORTEST, LONGEST, default=USUAL)
    format_ = query.one_of(request, "format", list(_FORMATS), default="wav")
    request.app[AUTHORIZATION].check_origin(request)
    ending, media = _FORMATS[format_]
    now = channel.now_playing
    first, passages = channel.journal.passages(channel.runs, channel.edge.live, seconds)
    if not passages:
        raise ServerError(f"{channel.settings.title} has not played anything yet")
    name = f"{channel.settings.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    headers = {
        "Content-Type": media,
        "Content-Disposition": f'attachment; filename="{name}{ending}"',
        "Cache-Control": "no-store",
        "X-First-Frame": str(first),
    }
    if request.method == "HEAD":
        return web.Response(headers=headers)
    if ending == ".mid":
        return web.Response(body=await asyncio.to_thread(_midi, passages), headers=headers)
    title = now.title_at(channel.edge.live) or channel.settings.title
    job = await awaited(request, request.app[EXPORT_JOBS].submit(Export(passages, name, ending, title)))
    if job.result is None:
        raise ServerError("the file was dropped for newer ones; try again")
    # No FileResponse: that takes a Range for what was rendered at another time.
    file = job.result.open("rb")
    await request.app[EXPORT_JOBS].remove(job)  # nobody can ask for it again; what is open can be read to its end
    return web.Response(body=file, headers=headers)


def _midi(passages: Sequence[AiredPassage]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes.mid"
        transcript.write(passages, path)
        return path.read_bytes()
