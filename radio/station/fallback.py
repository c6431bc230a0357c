"""A station's sound while the station itself cannot play: its last bars repeated, then only textures.

It needs neither models nor a soundfont.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

import numpy as np
import numpy.typing as npt

from radio.audio.ambience.mix import Ambience
from radio.audio.mixer import Mixer
from radio.audio.rain import Rain
from radio.audio.vinyl import Vinyl
from radio.errors import ControlError
from radio.settings.station import StationSettings
from radio.station.fallback_plan import CROSSFADE, LEAD, REPEAT_LIMIT, Loop
from radio.station.layers import Textures
from radio.station.resume import LogEntry, Snapshot
from radio.types import MIX_BLOCK, SAMPLE_RATE, Block, Frames, StationEvent

_FADE: Final[Frames] = 20 * SAMPLE_RATE
_RAIN_LEVEL: Final = 9.0
"""In dB. At 0 dB the rain, like other textures, is too quiet to be heard on its own."""


class FallbackStation:
    """A stand-in for a station. It plays a loop, which eventually fades out, and textures.

    It begins `LEAD` before frame 0, which is the frame where the music ended.

    Args:
        settings: The settings of the station.
        loop: The bars to repeat; None plays only textures.
        sound: Samples of the station, (frames, 2), from the loop's start to its end or a little beyond.
    """

    def __init__(self, settings: StationSettings, loop: Loop | None, sound: Block) -> None:
        self.position: Frames = -LEAD
        self._loop = loop
        self._past, self._bars, self._first = (sound, sound, 0) if loop is None else _bars(loop, sound)
        rain: dict[str, object] = {"rain_mute": False, "rain_level": _RAIN_LEVEL}
        self._controls = settings.controls.changed({} if settings.controls.silent else rain)
        seed = settings.seed
        self._textures = Textures(Vinyl(seed), Rain(seed), Ambience(settings.ambience.audible(), seed))
        self._mixer = Mixer(settings.tone)
        self._mixed = np.zeros((0, 2), np.float32)
        """Mixed textures that have not been returned yet."""

    @property
    def mixed(self) -> Frames:
        return self.position

    @property
    def next_bar_line(self) -> Frames:
        return self.position

    def render(self, frames: Frames) -> Block:
        """Return the next frames."""
        times = np.arange(self.position, self.position + frames)
        self.position += frames
        if self._loop is None:
            return self._texture(frames)
        music = self._music(times)
        share = np.clip((REPEAT_LIMIT - times) / _FADE, 0, 1).astype(np.float32)[:, None]
        if share.min(initial=1) == 1:
            return music
        return share * music + (1 - share) * self._texture(frames)

    def _music(self, times: npt.NDArray[np.int64]) -> Block:
        """Return the station's own audio up to frame 0, crossfaded into the loop after it."""
        music = self._bars[(times + self._first) % len(self._bars)]
        places = times + LEAD
        known = places < len(self._past)
        share = np.clip(times[known] / CROSSFADE, 0, 1).astype(np.float32)[:, None]
        music[known] = share * music[known] + (1 - share) * self._past[places[known]]
        return music

    def _texture(self, frames: Frames) -> Block:
        while len(self._mixed) < frames:
            stems = self._textures.render(MIX_BLOCK, self._controls, self._mixer.is_audible)
            self._mixed = np.concatenate((self._mixed, self._mixer.process(stems, self._controls)))
        block, self._mixed = self._mixed[:frames], self._mixed[frames:]
        return block

    def prepare(self) -> None:
        """Do nothing: there is nothing to compose."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise ControlError("the station cannot play its music at present", field="", allowed="nothing")

    control = act = prime = _refuse

    def events(self) -> list[StationEvent]:
        """Return an empty list: no music is played."""
        return []

    def take_snapshot(self) -> Snapshot | None:
        """Return None: there is no music to resume."""

    def mark(self) -> None:
        """Do nothing: the station is never rewound."""

    def branch(self) -> None:
        """Do nothing: there are no marks."""

    def settle(self) -> None:
        """Do nothing: there are no marks."""

    def forget(self, frame: Frames) -> None:
        """Do nothing: there are no marks."""

    def rewind(self, frame: Frames) -> bool:  # noqa: ARG002 — the name is the protocol's
        """Return False: there are no marks."""
        return False

    def resume(self, snapshot: bytes, log: Sequence[LogEntry]) -> None:
        """Do nothing: there is no music to resume."""

    def close(self) -> None:
        """Do nothing: there are no resources to free."""


def _bars(loop: Loop, sound: Block) -> tuple[Block, Block, Frames]:
    """Return the audio starting `LEAD` before the end of the music, the bars, and the frame in them where it ended.

    The end of the last bar is crossfaded with the audio before the first one.
    """
    before, bars = sound[:CROSSFADE], sound[CROSSFADE : CROSSFADE + loop.length].copy()
    share = np.linspace(0, 1, CROSSFADE, dtype=np.float32)[:, None]
    bars[-CROSSFADE:] = (1 - share) * bars[-CROSSFADE:] + share * before
    end = loop.end - loop.start
    past = sound[end - LEAD : end + CROSSFADE]
    missing = LEAD + CROSSFADE - len(past)
    past = np.concatenate((past, 2 * past[-1] - past[-2 : -2 - missing : -1]))  # mirrored: no step, and no bend
    return past, bars, (loop.end - loop.lines[-1]) % loop.length
