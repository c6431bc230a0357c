"""Units as types, and the few records that every stage shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TokenId: TypeAlias = int
"""A place in the vocabulary table, 0–2559."""

Tick: TypeAlias = int
"""1/120 of a beat, counted from the station's first bar line."""

Frames: TypeAlias = int
"""Samples per channel at 48 kHz, the one clock. Absolute frames count from the station's first sample."""

Seconds: TypeAlias = float
Dbfs: TypeAlias = float

Block: TypeAlias = "npt.NDArray[np.float32]"
"""Rendered audio, shape (frames, 2), float32, full scale ±1.0, 48 kHz."""

Format: TypeAlias = Literal["opus", "mp3", "aac", "pcm"]
"""What a mount carries; pcm is 16-bit samples for other parts of the radio, never for listeners."""

LISTENER_FORMATS: tuple[Format, ...] = ("opus", "mp3", "aac")
"""The formats of streams for listeners."""

BURST_LIMIT: Seconds = 25.0
"""Longest burst: well within the lag limit, for a listener starts that far behind and needs time to take it."""

Mode: TypeAlias = Literal["major", "minor"]
Mood: TypeAlias = Literal["calm", "warm", "hopeful", "nostalgic", "sad", "dark", "dreamy"]
"""What a chord model can be asked for. Tokens stand in this order: new ones go to the end."""
MoodChoice: TypeAlias = Mood | Literal["any"]
"""What a listener can ask for: `any` is the station's own harmony."""
MODES: tuple[Mode, ...] = get_args(Mode)
MOODS: tuple[Mood, ...] = get_args(Mood)

SAMPLE_RATE = 48_000
GRID: Frames = 64
"""Events sound on multiples of this many frames, FluidSynth's own block, so that block sizes change nothing."""
MIX_BLOCK: Frames = 1_920
"""A station is mixed in blocks of this many frames, whatever sizes are asked for: 40 ms, short for a listener who turns
a level and for the processor's cache, long enough to keep Python out of the way."""

TICKS_PER_BEAT = 120
BEATS_PER_BAR = 4
TICKS_PER_BAR = TICKS_PER_BEAT * BEATS_PER_BAR

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


@dataclass(frozen=True, slots=True, order=True)
class SynthEvent:
    """A note for a layer's synthesizer; `frame` is absolute, a multiple of `GRID`; velocity 0 releases the note."""

    frame: Frames
    note: int
    velocity: int


@dataclass(frozen=True, slots=True)
class StationEvent:
    """Something that happened on air, stamped with the frame at which it is heard.

    `data` by kind:
        track    title, key, tempo, chords (of its first loop, a name a bar), bars, number
        bar      number, chord (two with a space where it changes on beat 3), section, tempo, chords (of the loop that
                 comes round here), place (which of them this is, from 0)
        note     layer, note, velocity (0 where it is released), tick
        control  the control values that took effect
    """

    frame: Frames
    kind: Literal["track", "bar", "note", "control"]
    data: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a control change takes effect: the bar number that starts at or contains `frame`, and that frame."""

    bar: int
    frame: Frames


@dataclass(frozen=True, slots=True)
class Packet:
    """Encoded audio: the bytes of one codec frame, the absolute frame it starts at and how many frames it lasts."""

    frame: Frames
    frames: Frames
    data: bytes
