"""The settings of one station."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from radio.paths import CHECKPOINTS
from radio.settings.controls import Controls
from radio.settings.engines import AUTO
from radio.settings.push import PushSettings
from radio.settings.tone import Tone

LEARNT: Final = "learnt"
"""In the place of progressions: those of the chord model."""


@dataclass(frozen=True, slots=True)
class StationSettings:
    """One station as `stations.yaml` describes it. Paths are absolute or relative to that file."""

    name: str
    """Its key in the file and its place in every address: small letters, digits and hyphens."""
    title: str
    progressions: tuple[tuple[str, ...], ...] = ()
    """Bars as written in C major or A minor, one chord or two; each track loops one, moved to the track's key. None for
    those that the chord model writes."""
    description: str = ""
    seed: int = 1
    piano: Path = CHECKPOINTS / "piano.safetensors"
    drums: Path = CHECKPOINTS / "drums.safetensors"
    chords: Path = CHECKPOINTS / "chords.safetensors"
    """Writes the loops, where none are given or a mood is asked for."""
    engine: str = AUTO
    """What steps the models: one of `radio.settings.engines.ENGINES`."""
    soundfont: Path = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
    keys_program: int = 4
    """General MIDI program, 0–127."""
    bass_program: int = 33
    drum_kit: int = 0
    """Program of the drum bank, 0–127."""
    style: str = "hiphop"
    """The drum style that the model is asked for: one of `radio.music.vocab.STYLES`."""
    timing: str = "human"
    """When the drums are struck: `human`, as measured of drummers of the style, or `steady`, the same every bar."""
    keys: tuple[str, ...] = ("C",)
    """Tonics that tracks may be in."""
    tone: Tone = field(default_factory=Tone)
    loops: Path | None = None
    """A folder of loops that takes the rain's place, or none."""
    controls: Controls = field(default_factory=Controls)
    """What the controls are set to at first."""
    image: Path | None = None
    """The picture where one is shown; none is the radio's own."""
    push: tuple[PushSettings, ...] = ()
    """The servers that `radio serve` sends it to."""
