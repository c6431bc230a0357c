"""`/api/stations/{station}/prime`: a MIDI file or a recording that a station starts from."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from radio.compose.prime import PRIMED_TRACKS, Prime, from_json
from radio.errors import SettingsError
from radio.music.chords import key_name
from radio.music.midi_parts import PartChoice, parse_part
from radio.music.names import printable
from radio.server.api.prime import Primed
from radio.server.broadcast.channels import channel_of
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.operation import operation
from radio.server.http.problems import ProblemError
from radio.server.http.query import QueryParameter
from radio.server.http.request_log import log_change
from radio.server.http.responses import json_response
from radio.server.http.validation import refused
from radio.station.tasks import MOST_BYTES, MOST_RECORDED_BYTES, ReadPrime
from radio.transcription.signature import SIGNATURE, is_recording
from radio.types import SAMPLE_RATE, JsonValue, Seconds
from radio.worker.job_queue import JobQueue

PRIME_JOBS: web.AppKey[JobQueue] = web.AppKey("prime_jobs", JobQueue)

_TIME_LIMIT: Final[Seconds] = 120.0
"""Maximum time for reading a file, next to busy stations."""

_UPLOAD_TIMEOUT: Final[Seconds] = 60.0
"""Time within which a file must arrive."""

_ALLOWED: Final = (
    "a MIDI file in bars of four beats with a keyboard part, at most 5 MB and 20,000 notes; or a recording (WAV, MP3, "
    "FLAC, OGG, WebM) of 3 to 60 seconds, at most 20 MB"
)
_NAME: Final = QueryParameter[str]("name", Annotated[str, Meta(description="Name of the file.", max_length=200)], "")
_PART: Final = QueryParameter[str](
    "part",
    Annotated[
        str,
        Meta(
            description="The keyboard part: `channel 3`, `program 4` or `track Piano`. [found by program and name]",
            max_length=200,
        ),
    ],
    "",
)


def routes() -> list[web.RouteDef]:
    """Return the route of primes."""
    return [web.post("/api/stations/{station}/prime", prime_station)]


def attach(app: web.Application) -> None:
    """Add a queue to the application, which reads one file at a time."""
    jobs = app[PRIME_JOBS] = JobQueue(time_limit=_TIME_LIMIT)

    async def stop(_: web.Application) -> None:
        await jobs.stop()

    app.on_cleanup.append(stop)


@operation(
    "Start from a MIDI file or a recording",
    tag="control",
    upload=(
        "audio/midi",
        "audio/wav",
        "audio/mpeg",
        "audio/flac",
        "audio/ogg",
        "audio/webm",
        "application/octet-stream",
    ),
    answer=Primed,
    query=(_NAME, _PART),
    guarded=True,
    problems={
        408: "The file did not arrive in time.",
        413: "The MIDI file is larger than 5 MB, or the recording larger than 20 MB.",
        422: "The file cannot be used; the message gives the reason, and `allowed` the files that can be used.",
        503: "The station is being restarted, or too many files are waiting.",
    },
)
async def prime_station(request: web.Request) -> web.Response:
    """Make the station start from a file: its tempo, key, chords, a passage of its keyboard, its drums and melody.

    The body is a MIDI file, or a recording of up to a minute, which is transcribed first: of an instrument, or of a
    hummed melody. For recordings the server needs the extra `audio`. The next three tracks start from the file; then
    the station returns to its own program. The response describes the detected music.
    `POST /api/stations/{station}/skip` begins the next track immediately.
    """
    channel = channel_of(request)
    request.app[AUTHORIZATION].require(request)
    choice = _choice(_PART.read(request))
    name = printable(_NAME.read(request))
    prime = await _read(request, ReadPrime(await _file(request), name, choice))
    landing = await channel.prime_station(prime)
    log_change(request, f"station '{channel.settings.name}': a start from '{name}'")
    parsed = from_json(prime)
    body = _body(parsed, landing.bar, landing.frame, channel.edge.live)
    return json_response(body, headers={"Cache-Control": "no-store"})


def _choice(part: str) -> PartChoice:
    try:
        return parse_part(part)
    except SettingsError as error:
        raise refused(
            "part", str(error), "channel 1 to 16, program and its name or number, or track and its name"
        ) from error


async def _file(request: web.Request) -> bytes:
    """Return the body of a request, of up to 5 MB, or 20 MB for a recording."""
    data = bytearray()
    try:
        async with asyncio.timeout(_UPLOAD_TIMEOUT):
            async for part in request.content.iter_any():
                data += part
                recorded = is_recording(bytes(data[:SIGNATURE]))
                if len(data) > (MOST_RECORDED_BYTES if recorded else MOST_BYTES):
                    kind, most = ("recording", "20") if recorded else ("file", "5")
                    message = f"the {kind} is larger than {most} MB"
                    raise ProblemError(413, "too_long", message, field="file", allowed=_ALLOWED)
    except TimeoutError as error:
        raise ProblemError(408, "too_slow", f"the file did not arrive within {_UPLOAD_TIMEOUT:g} s") from error
    return bytes(data)


async def _read(request: web.Request, task: ReadPrime) -> dict[str, JsonValue]:
    """Return the prime from a file, which is read in a separate process."""
    jobs = request.app[PRIME_JOBS]
    job = jobs.submit(task)
    try:
        await job.finished.wait()
        if job.result is None:
            raise refused("file", job.error or "the radio is stopping", _ALLOWED)
        fields: dict[str, JsonValue] = json.loads(await asyncio.to_thread(job.result.read_bytes))
        return fields
    finally:
        await jobs.remove(job)


def _body(prime: Prime, bar: int, frame: int, live: int) -> Primed:
    loop = (prime.loops or {})["A"]
    return Primed(
        name=prime.name,
        tempo=prime.tempo or 0.0,
        key=key_name(prime.key or "C", prime.mode),
        chords=loop.names(),
        bars=prime.passage.bars,
        notes=len(prime.passage.notes),
        drums=prime.drums is not None,
        melody=prime.motif is not None,
        tracks=PRIMED_TRACKS,
        bar=bar,
        frame=frame,
        live=live,
        sample_rate=SAMPLE_RATE,
    )
