"""Music that a station takes up from a file."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from radio.server.api.body import Body, Frame, LiveEdge, SampleRate


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
