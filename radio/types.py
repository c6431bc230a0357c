"""Types for units, and the records that all stages share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TokenId: TypeAlias = int
"""An index into the vocabulary table, 0–5647."""

Tick: TypeAlias = int
"""1/120 of a beat, counted from the station's first bar line."""

Frames: TypeAlias = int
"""Samples per channel at 48 kHz. Absolute frames count from the station's first sample."""

Seconds: TypeAlias = float
Dbfs: TypeAlias = float

Block: TypeAlias = "npt.NDArray[np.float32]"
"""Rendered audio, shape (frames, 2), float32, full scale ±1.0, 48 kHz."""

ProgressCallback: TypeAlias = Callable[[float], None]
"""A function that receives the completed share of the work, 0–1."""

Format: TypeAlias = Literal["opus", "mp3", "aac", "pcm"]
"""The format of a mount. `pcm` is 16-bit samples for internal use, not for listeners."""

LISTENER_FORMATS: tuple[Format, ...] = ("opus", "mp3", "aac")
"""The formats that listeners can receive."""

BURST_LIMIT: Seconds = 25.0
"""The longest burst. A listener starts this far behind the live edge, so it must be well below the lag limit."""

Mode: TypeAlias = Literal["major", "minor"]
Mood: TypeAlias = Literal["calm", "warm", "hopeful", "nostalgic", "sad", "dark", "dreamy"]
"""The moods that a chord model knows, in token order; append new ones at the end."""
MoodChoice: TypeAlias = Mood | Literal["any"]
ModeChoice: TypeAlias = Mode | Literal["any"]
"""The values of the mood control; `any` means the station's own progressions."""
MODES: tuple[Mode, ...] = get_args(Mode)
MOODS: tuple[Mood, ...] = get_args(Mood)

TextureKind: TypeAlias = Literal["line", "stabs", "thin", "comp", "pad"]
"""A way of playing the keys in a track: single notes, short chords, two voices, played chords, or held chords."""
TEXTURES: tuple[TextureKind, ...] = get_args(TextureKind)

PrimeChoice: TypeAlias = Literal["tempo", "key", "density"]
"""The settings of a starting file that can be left to the controls instead."""
PRIME_CHOICES: tuple[PrimeChoice, ...] = get_args(PrimeChoice)

LARGEST_SEED = 2**63 - 1
SAMPLE_RATE = 48_000
GRID: Frames = 64
"""Events start on multiples of this many frames (FluidSynth's block), so the block size does not affect the sound."""
MIX_BLOCK: Frames = 3_840
"""Frames per mixing block (80 ms), independent of the size that a caller requests.

Short enough for level changes to feel immediate, long enough to make Python's overhead small.
"""

TICKS_PER_BEAT = 120
BEATS_PER_BAR = 4
TICKS_PER_BAR = TICKS_PER_BEAT * BEATS_PER_BAR

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


@dataclass(frozen=True, slots=True, order=True)
class SynthEvent:
    """A note for a layer's synthesizer.

    frame: absolute, a multiple of `GRID`.
    velocity: 0 releases the note.
    """

    frame: Frames
    note: int
    velocity: int


EventKind: TypeAlias = Literal["track", "bar", "note", "control"]
ActionKind: TypeAlias = Literal["skip", "next", "hold", "release", "like", "dislike", "reset"]


@dataclass(frozen=True, slots=True)
class Action:
    """A listener's request to a station.

    kind: skip begins the next track, next the next section. hold repeats the current loop until release or next.
    like and dislike shift the distributions that later tracks are drawn from; reset undoes that.
    track: number of the track that is liked or disliked; None means the one being composed.
    """

    kind: ActionKind
    track: int | None = None


SKIP: Final = Action("skip")


@dataclass(frozen=True, slots=True)
class StationEvent:
    """An event on air, stamped with the frame at which it is audible.

    `data` by kind:
        track    title, key, tempo, chords (of the first loop, one name per bar), bars, number, instruments (General
                 MIDI programs by layer), instrument_names
        bar      number, chord (two names if it changes on beat 3), section, tempo, chords (of the current loop),
                 place (index of this bar in the loop, from 0), frames, mix, instruments, key, hold (true while a
                 listener holds the loop)
        note     layer, note, velocity (0 for a release), tick
        control  the control values that took effect
    """

    frame: Frames
    kind: EventKind
    data: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Landing:
    """The position at which a control change takes effect.

    bar: number of the bar that starts at or contains `frame`.
    """

    bar: int
    frame: Frames


OPEN_LOWPASS = 20_000.0
"""A low-pass at this frequency, in Hz, passes everything."""


@dataclass(frozen=True, slots=True)
class MixMove:
    """Movement of the mix within one bar. Pairs are the values at its start and at its end.

    lowpass: cutoff of the master low-pass in Hz. gain_db: level of the music. drums_band: share of the drums that goes
    through a telephone band, 0–1. stop: true if the tape stops on the last beat. level_db: gain of the loudness
    control; it moves in the second half of the bar. keys_db: gain of the keys.
    """

    lowpass: tuple[float, float] = (OPEN_LOWPASS, OPEN_LOWPASS)
    gain_db: tuple[float, float] = (0.0, 0.0)
    drums_band: float = 0.0
    stop: bool = False
    level_db: tuple[float, float] = (0.0, 0.0)
    keys_db: float = 0.0


STILL = MixMove()
"""A bar without movement: the mix stays as the controls set it."""


@dataclass(frozen=True, slots=True)
class MixState:
    """Values of the mix movement at one moment.

    lowpass: cutoff in Hz. gain: linear. drums_band: share of the drums in a telephone band. speed: speed of the tape,
    from 1 (running) to 0 (stopped). keys: gain of the keys, linear.
    """

    lowpass: float = OPEN_LOWPASS
    gain: float = 1.0
    drums_band: float = 0.0
    speed: float = 1.0
    keys: float = 1.0


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of encoded audio.

    frame: absolute frame at which it starts.
    frames: duration.
    data: bytes of one codec frame.
    """

    frame: Frames
    frames: Frames
    data: bytes
