"""Music that a station takes up from a file."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from radio.server.api.body import Body, Frame, LiveEdge, SampleRate
from radio.types import TextureKind


class Primed(Body):
    """The music found in a file, and the place where the station takes it up."""

    name: str
    tempo: Annotated[float, Meta(description="Beats a minute.")]
    key: Annotated[str, Meta(description="Such as `Eb` or `Cm`.")]
    chords: Annotated[list[str], Meta(description="One per bar of the main loop.")]
    bars: Annotated[int, Meta(description="Length of the passage that is taken up.")]
    notes: Annotated[int, Meta(description="Notes of the keyboard in the passage.")]
    drums: Annotated[bool, Meta(description="Whether its drums are taken up.")]
    melody: Annotated[bool, Meta(description="Whether a melody is taken up.")]
    tracks: Annotated[int, Meta(description="Number of tracks that take it up.")]
    bar: Annotated[int, Meta(description="First bar of the first of these tracks.")]
    frame: Frame
    live: LiveEdge
    sample_rate: SampleRate


class RecordedPhrase(Body):
    """Notes of a phrase."""

    bars: int
    notes: Annotated[list[list[int]], Meta(description="For each note its start and end in ticks, pitch and velocity.")]


class RecordedTexture(Body):
    """The way in which the keys of a prime play."""

    kind: TextureKind
    voices: int
    onsets: float
    length: float
    register: float
    velocity: float
    span: int
    restrike: int
    spread: float
    thickness: Annotated[float, Meta(description="Mean number of notes that are struck together; 0 for any.")] = 0.0


class RecordedPrime(Body):
    """All of a prime that the music depends on."""

    name: str
    passage: RecordedPhrase
    literal: Annotated[bool, Meta(description="Whether a track plays the passages themselves.")]
    tempo: float | None
    key: str | None
    mode: str | None
    loops: Annotated[dict[str, list[str]] | None, Meta(description="The chord loop of each material.")]
    texture: RecordedTexture | None
    drums: RecordedPhrase | None
    motif: RecordedPhrase | None
    second: Annotated[RecordedPhrase | None, Meta(description="Another passage, over the loop `B`.")] = None
