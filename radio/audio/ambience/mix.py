"""The ambience of a station: its own mix of background sounds, or the one sound that listeners chose."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from radio.audio.ambience.animals import Birds, NightInsects
from radio.audio.ambience.people import CafeMurmur, Keyboard
from radio.audio.ambience.places import Fire, Street, Train, Waves
from radio.audio.ambience.steady import BrownNoise, Tape
from radio.audio.ambience.weather import RainOutside, Thunder, Wind
from radio.audio.noise import Noise
from radio.audio.rain import Rain
from radio.audio.vinyl import Vinyl
from radio.settings.ambience import STATION
from radio.types import SAMPLE_RATE, Block, Frames

NOMINAL: Final = -40.0
"""Ungated loudness of each sound at 0 dB, in LUFS over a minute."""

SOUNDS: Final[Mapping[str, tuple[type[Noise], float]]] = MappingProxyType(
    {
        "rain_window": (Rain, -7.2),
        "rain_outside": (RainOutside, -6.7),
        "thunder": (Thunder, -14.8),
        "fire": (Fire, -3.7),
        "cafe": (CafeMurmur, -1.9),
        "street": (Street, -4.1),
        "train": (Train, -4.9),
        "waves": (Waves, -11.8),
        "wind": (Wind, -12.2),
        "night_insects": (NightInsects, 2.2),
        "birds": (Birds, 3.6),
        "brown_noise": (BrownNoise, -10.5),
        "keyboard": (Keyboard, 10.5),
        "vinyl": (Vinyl, 11.2),
        "tape": (Tape, -6.3),
    }
)
"""The class of each sound, and the gain in dB that brings it to `NOMINAL`."""

_FADE: Final[Frames] = 2 * SAMPLE_RATE
"""Length of the crossfade when listeners choose another sound."""


@dataclass(frozen=True, slots=True)
class AmbienceState:
    """The chosen sound and the positions of the fades; see `Ambience`."""

    chosen: str | None
    places: Mapping[str, Frames]


class Ambience:
    """An endless mix of sounds. Apart from crossfades between choices, it is a function of seed and frame.

    Only sounds that can be heard are computed.

    Args:
        levels: level in dB of each sound of the station's own mix.
        seed: each seed gives different sounds.
    """

    def __init__(self, levels: Mapping[str, float], seed: int) -> None:
        self._levels = levels
        self._seed = seed
        self.position: Frames = 0
        self._chosen: str | None = None
        self._places: dict[str, Frames] = {}
        """Position of each audible sound in its fade, in frames from 0 (silent) to `_FADE` (full)."""
        self._sounds: dict[str, Noise] = {}

    def choose(self, choice: str) -> None:
        """Fade to a sound, or to the station's own mix if it is `STATION`. The first choice applies without a fade."""
        if self._chosen is None:
            self._places = dict.fromkeys(self._names(choice), _FADE)
        self._chosen = choice

    def render(self, frames: Frames) -> Block:
        """Return the next frames, (frames, 2) float32. The samples do not depend on the sizes requested."""
        out = np.zeros((2, frames), np.float32)
        names = self._names(self._chosen or STATION)
        for name in dict.fromkeys((*names, *self._places)):
            self._add(name, out, rises=name in names)
        self.position += frames
        return out.T

    def skip(self, frames: Frames) -> None:
        """Advance by `frames` without rendering; fades end."""
        self.position += frames
        self._places = dict.fromkeys(self._names(self._chosen or STATION), _FADE)
        self._sounds = {}

    def seek(self, frame: Frames) -> None:
        """Set the absolute frame of the next sample. The next choice applies without a fade."""
        self.position, self._chosen = frame, None
        self._places, self._sounds = {}, {}

    def save(self) -> AmbienceState:
        """Return the current choice and fades."""
        return AmbienceState(self._chosen, dict(self._places))

    def restore(self, saved: AmbienceState) -> None:
        """Continue a saved choice and its fades, after `seek`."""
        self._chosen, self._places = saved.chosen, dict(saved.places)

    def _names(self, choice: str) -> Collection[str]:
        """Return the sounds of a choice."""
        return self._levels.keys() if choice == STATION else (choice,)

    def _add(self, name: str, out: Block, *, rises: bool) -> None:
        """Add the next frames of a sound to `out`, (2, frames), and advance its fade."""
        frames, place = out.shape[1], self._places.get(name, 0)
        kind, trim = SOUNDS[name]
        if name not in self._sounds:
            self._sounds[name] = kind(self._seed)
        sound = self._sounds[name]
        sound.position = self.position
        gain = np.float32(10 ** ((trim + self._levels.get(name, 0.0)) / 20))
        if rises and place == _FADE:
            out += gain * sound.render(frames).T
        else:
            places = np.clip(place + (1 if rises else -1) * np.arange(1, frames + 1), 0, _FADE)
            out += gain * np.sin(places * (np.pi / 2 / _FADE)).astype(np.float32) * sound.render(frames).T
            place = int(places[-1]) if frames else place
        if place:
            self._places[name] = place
        else:
            self._places.pop(name, None)
            del self._sounds[name]
