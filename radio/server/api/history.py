"""The history of a station: its last tracks, and everything needed to compose them again."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from radio.server.api.body import Body, Frame, LiveEdge, SampleRate, Time
from radio.server.api.controls import ControlValues
from radio.server.api.music_settings import MusicSettings
from radio.server.api.prime import RecordedPrime
from radio.server.api.station import Track
from radio.types import ActionKind


class ControlChange(Body):
    """A change of control values, a client's action or a prime, with the bar and frame where it takes effect."""

    bar: int
    frame: Frame
    controls: ControlValues
    action: Annotated[ActionKind | None, Meta(description="The client's action, if it is one.")] = None
    track: Annotated[int | None, Meta(description="Number of the track that was liked or disliked.")] = None
    prime: Annotated[RecordedPrime | None, Meta(description="A prime that the next tracks start from.")] = None


class PastTrack(Track, kw_only=True):
    """A track, with its place in the run of the worker that played it."""

    bar: Annotated[int | None, Meta(description="Number of the track's first bar in its run.")]
    run: Annotated[int, Meta(description="`number` of one of the `runs`.")]
    seed: int
    controls: Annotated[ControlValues, Meta(description="The controls when the track began.")]
    changes: Annotated[list[ControlChange], Meta(description="The changes made while the track played.")]


class Checkpoint(Body):
    """A model file."""

    name: str
    sha256: Annotated[str | None, Meta(description="Null if there is no such file.")]


class Checkpoints(Body):
    """The models that a worker was started with, and the tuned states that they begin pieces with."""

    piano: Checkpoint
    drums: Checkpoint
    chords: Checkpoint
    bass: Checkpoint
    band: Annotated[Checkpoint | None, Meta(description="Null if the layers have separate models.")]
    piano_state: Annotated[Checkpoint | None, Meta(description="Null if the piano model starts from zeros.")]
    drums_state: Annotated[Checkpoint | None, Meta(description="Null if the drum model starts from zeros.")]


class Run(Body):
    """One run of a station's worker. Its music is a function of these values."""

    number: int
    started_at: Time
    frame: Annotated[int, Meta(description="Frame of the run's first bar line.")]
    version: Annotated[str, Meta(description="Version of the radio.")]
    seed: int
    settings: MusicSettings
    checkpoints: Checkpoints
    controls: Annotated[ControlValues, Meta(description="The controls before the first of `changes`.")]
    changes: list[ControlChange]
    whole: Annotated[bool, Meta(description="Whether `changes` reaches back to the first bar.")]


class History(Body):
    """The last tracks and the runs that played them, newest first."""

    tracks: list[PastTrack]
    runs: list[Run]
    live: LiveEdge
    sample_rate: SampleRate
