"""Music from a file that a station starts from."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from radio.server.api.body import Body, Frame, LiveEdge, SampleRate
from radio.types import TextureKind


class Primed(Body):
    """The music found in a file, and the place where the station starts from it."""

    name: str
    tempo: Annotated[float, Meta(description="Beats per minute.")]
    key: Annotated[str, Meta(description="For example `Eb` or `Cm`.")]
    chords: Annotated[list[str], Meta(description="One per bar of the main loop.")]
    bars: Annotated[int, Meta(description="Length of the adopted passage.")]
    notes: Annotated[int, Meta(description="Number of keyboard notes in the passage.")]
    drums: Annotated[bool, Meta(description="Whether the file's drums are used.")]
    melody: Annotated[bool, Meta(description="Whether a melody from the file is used.")]
    tracks: Annotated[int, Meta(description="Number of tracks that start from the file.")]
    bar: Annotated[int, Meta(description="First bar of the first of these tracks.")]
    frame: Frame
    live: LiveEdge
    sample_rate: SampleRate


class RecordedPhrase(Body):
    """Notes of a phrase."""

    bars: int
    notes: Annotated[list[list[int]], Meta(description="Start and end in ticks, pitch and velocity of each note.")]


class RecordedTexture(Body):
    """The texture of the keys of a prime."""

    kind: TextureKind
    voices: int
    onsets: float
    length: float
    register: float
    velocity: float
    span: int
    restrike: int
    spread: float
    thickness: Annotated[float, Meta(description="Mean number of notes struck together; 0 for any number.")] = 0.0


class RecordedPrime(Body):
    """The parts of a prime that the music depends on."""

    name: str
    passage: RecordedPhrase
    literal: Annotated[bool, Meta(description="Whether a track plays the passages note for note.")]
    tempo: float | None
    key: str | None
    mode: str | None
    loops: Annotated[dict[str, list[str]] | None, Meta(description="The chord loop of each material.")]
    texture: RecordedTexture | None
    drums: RecordedPhrase | None
    motif: RecordedPhrase | None
    second: Annotated[RecordedPhrase | None, Meta(description="Another passage, over the loop `B`.")] = None
