"""A station on disk: the piece that it plays, its controls and its last tracks, so that another process can resume."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from radio.errors import SnapshotError
from radio.server.api.events import TrackEvent
from radio.server.api.history import ControlChange
from radio.server.broadcast.now_playing import AiredTrack
from radio.server.broadcast.postponed import Postponed
from radio.server.broadcast.worker_runs import WorkerRun
from radio.settings.station import StationSettings
from radio.station.resume import LogEntry, Snapshot
from radio.types import Frames

_MAGIC: Final = b"radio-station-1\n"
"""The first bytes of each file. Raise the number whenever a field changes incompatibly."""

_DIGEST: Final = hashlib.sha256().digest_size


class SavedRun(msgspec.Struct, frozen=True):
    """A run of the station; see `WorkerRun`."""

    number: int
    seed: int
    started: float
    digests: Mapping[str, str]
    first_controls: Mapping[str, Any]
    controls: Mapping[str, Any]
    changes: tuple[ControlChange, ...]
    whole: bool


class SavedTrack(msgspec.Struct, frozen=True):
    """A track that was on the air; see `AiredTrack`."""

    event: TrackEvent
    started: float
    bar: int | None


class SavedStation(msgspec.Struct, frozen=True):
    """Everything that a station needs to resume.

    version: of the radio. saved_at: seconds since 1970. asked_seed, asked_controls: those of the config; the seed is
    0 if it has none. live, origin: the live edge and the run's first bar line, on the channel's clock. postponed: the
    control changes that wait for the music. resumes: the frame, on the station's own clock, to play at the live edge;
    None, in files of older versions, means `live` - `origin`.
    """

    name: str
    version: str
    saved_at: float
    asked_seed: int
    asked_controls: Mapping[str, Any]
    live: Frames
    origin: Frames
    run: SavedRun
    controls: Mapping[str, Any]
    snapshot: Snapshot
    log: tuple[LogEntry, ...]
    tracks: tuple[SavedTrack, ...]
    postponed: Postponed = Postponed()
    resumes: Frames | None = None


def encode(saved: SavedStation) -> bytes:
    """Return a saved station as the contents of a file."""
    body = msgspec.msgpack.encode(saved)
    return _MAGIC + hashlib.sha256(body).digest() + body


def decode(data: bytes) -> SavedStation:
    """Return the saved station from the contents of a file.

    Raises:
        SnapshotError: The file is damaged, or from another version.
    """
    if not data.startswith(_MAGIC):
        if data.startswith(_MAGIC[:14]):
            raise SnapshotError("it was saved by another version of the radio")
        raise SnapshotError("it is not the state of a station")
    digest, body = data[len(_MAGIC) :][:_DIGEST], data[len(_MAGIC) + _DIGEST :]
    if hashlib.sha256(body).digest() != digest:
        raise SnapshotError("it is damaged: its checksum does not match")
    try:
        return msgspec.msgpack.decode(body, type=SavedStation, dec_hook=lambda type_, value: type_(value))
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise SnapshotError(f"it is malformed: {error}") from error


def saved_run(run: WorkerRun) -> SavedRun:
    """Return a run in its saved form."""
    return SavedRun(
        run.number,
        run.settings.seed,
        run.started,
        dict(run.digests),
        run.settings.controls.as_json(),
        run.controls.as_json(),
        tuple(run.changes),
        run.whole,
    )


def worker_run(saved: SavedStation, settings: StationSettings) -> WorkerRun:
    """Return the saved run, for a worker to continue.

    Raises:
        ControlError: A control no longer exists, or its value is not allowed.
    """
    past = saved.run
    first = settings.controls.changed(past.first_controls)
    station = replace(settings, seed=past.seed, controls=first)
    run = WorkerRun(past.number, station, past.started, saved.origin, past.digests)
    run.controls = settings.controls.changed(past.controls)
    run.changes.extend(past.changes)
    run.whole = past.whole
    return run


def saved_tracks(tracks: Iterable[AiredTrack]) -> tuple[SavedTrack, ...]:
    """Return tracks in their saved form."""
    return tuple(SavedTrack(track.event, track.started, track.bar) for track in tracks)


def aired_tracks(saved: SavedStation) -> list[AiredTrack]:
    """Return the saved tracks."""
    return [AiredTrack(track.event, track.started, track.bar) for track in saved.tracks]
