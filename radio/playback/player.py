"""Stations on the speakers: mixed just before the sound card takes it, so that a turned control is heard at once."""

from __future__ import annotations

import ctypes
import gc
import itertools
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import Final, Protocol, TypeAlias

import numpy as np

from radio.errors import AudioError, RadioError
from radio.playback.source import LoadFailure, PlayerSource, SourceLoader
from radio.settings.controls import CONTROLS
from radio.settings.station import StationSettings
from radio.station.protocol import OpenStation
from radio.types import SAMPLE_RATE, Block, Frames, JsonValue, Seconds, StationEvent

MIX_BLOCK: Final[Frames] = SAMPLE_RATE // 50
"""Mixed at a time: controls are turned between two blocks."""
CROSSFADE: Final[Frames] = SAMPLE_RATE
_REOPEN_DELAYS: Final[tuple[Seconds, ...]] = (0.5, 1, 2, 4)
"""Waits before looking for a sound card that went away; the last one again and again."""
_STUCK_AFTER: Final[Seconds] = 2.0
"""A card that takes nothing for this long hangs."""
_MAX_MESSAGES: Final = 4096
"""Messages kept for whoever shows them: minutes of them, for one whose terminal stands still."""


@dataclass(frozen=True, slots=True)
class StationChanged:
    """The station that is heard from now on."""

    settings: StationSettings


@dataclass(frozen=True, slots=True)
class EventPlayed:
    """An event of the station that is tuned in, told when it sounds: at `frame` of what was played."""

    event: StationEvent
    frame: Frames


@dataclass(frozen=True, slots=True)
class ControlsChanged:
    """Controls that were taken; `bar` is the one from which those that wait for a bar line are heard, if any do."""

    patch: Mapping[str, JsonValue]
    bar: int | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the listener."""

    words: str


Message: TypeAlias = StationChanged | EventPlayed | ControlsChanged | Notice


@dataclass(frozen=True, slots=True)
class Level:
    """How loud it is: the largest sample and the mean square of each channel, full scale 1."""

    peak: tuple[float, float]
    power: tuple[float, float]


class OutputDevice(Protocol):
    """What is needed of the speakers."""

    @property
    def buffer(self) -> Seconds:
        """How far ahead it is filled; more after it ran dry."""

    @property
    def buffered(self) -> Frames:
        """How much of what was written is not heard yet."""

    def write(self, block: Block) -> None:
        """Play a block; raises AudioError when the card is gone."""

    def drain(self) -> None:
        """Wait until all is heard."""

    def reopen(self) -> None:
        """Look for the card again; raises AudioError while it is not there."""


class Player:
    """Plays one station after another on a sound card, in a thread of its own.

    Args:
        card: Open; stays the caller's to close.
        open_station: Loads a station, in a thread of ours.
        frames: How many to play; None for ever.
    """

    def __init__(self, card: OutputDevice, open_station: OpenStation, *, frames: Frames | None = None) -> None:
        self.volume = 1.0
        """Linear gain on everything, 0–1; may be set at any time."""
        self.playhead: Frames = 0
        """The frame of what was played that sounds now."""
        self._card = card
        self._left = frames
        self._loader = SourceLoader(open_station)
        self._source: PlayerSource | None = None
        self._fading_out: PlayerSource | None = None
        self._patches: deque[Mapping[str, JsonValue]] = deque()
        self._messages: deque[Message] = deque(maxlen=_MAX_MESSAGES)
        self._due: deque[tuple[Frames, Message]] = deque()
        self._levels: deque[tuple[Frames, Level]] = deque(maxlen=4 * SAMPLE_RATE // MIX_BLOCK)
        self._played: Frames = 0
        self._gain = 1.0
        self._writing: float | None = None
        self._has_messages, self._stop, self._over = Event(), Event(), Event()
        self._fault: Exception | None = None
        self._thread = Thread(target=self._run, name="mix", daemon=True)

    def start(self, settings: StationSettings) -> None:
        """Load a station and play it."""
        self.change_station(settings)
        self._thread.start()

    def change_station(self, settings: StationSettings | None) -> None:
        """Load another station and fade to it; the current one plays until then. `StationChanged` or `Notice` follows.

        None gives up one that is being loaded.
        """
        self._loader.load(settings)

    def change_controls(self, patch: Mapping[str, JsonValue]) -> None:
        """Change controls of the station that plays; each must be in its range. `ControlsChanged` follows."""
        self._patches.append(dict(patch))

    def messages(self, timeout: Seconds | None) -> list[Message]:
        """What was told since the last call; waits up to `timeout` for something, None for as long as it takes."""
        self._has_messages.wait(timeout)
        self._has_messages.clear()
        return [self._messages.popleft() for _ in range(len(self._messages))]

    def level(self) -> Level | None:
        """The level of what has sounded since the last call, None if nothing has."""
        blocks = []
        while self._levels and self._levels[0][0] <= self.playhead:
            blocks.append(self._levels.popleft()[1])
        if not blocks:
            return None
        left, right = (max(block.peak[side] for block in blocks) for side in (0, 1))
        powers = (sum(block.power[side] for block in blocks) / len(blocks) for side in (0, 1))
        return Level((left, right), (next(powers), next(powers)))

    @property
    def is_stuck(self) -> bool:
        """Whether the sound card is there but takes nothing."""
        since = self._writing
        return since is not None and monotonic() - since > _STUCK_AFTER

    @property
    def playing(self) -> bool:
        """Whether more will come; False when all frames are heard. Raises whatever ended it before that."""
        if self._fault is not None:
            raise self._fault
        return not self._over.is_set()

    def close(self, patience: Seconds = 3.0) -> bool:
        """Stop, and free the stations; False where the sound card hangs and holds a thread of ours."""
        self._stop.set()
        self._thread.join(patience)
        if self._thread.is_alive():
            return False
        self._loader.close()
        return True

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and self._left != 0:
                self._start_loaded()
                if self._source is None:
                    self._stop.wait(0.005)
                    continue
                self._apply_changes(self._source)
                block = self._mix(self._source, MIX_BLOCK if self._left is None else min(MIX_BLOCK, self._left))
                self._played += len(block)
                self._left = None if self._left is None else self._left - len(block)
                self._levels.append((self._played, _level(block)))
                self._write(block)
                self._post_due(self._played - self._card.buffered)
            if not self._stop.is_set():
                self._card.drain()
                self._post_due(self._played)
        except Exception as error:  # noqa: BLE001  # `playing` raises it where the listener is
            self._fault = error
        finally:
            for source in (self._source, self._fading_out):
                if source is not None:
                    source.close()
            self._over.set()
            self._has_messages.set()

    def _start_loaded(self) -> None:
        """Begin with a station that has been loaded; one fade at a time."""
        if self._fading_out is not None:
            return
        match self._loader.take():
            case PlayerSource() as source:
                self._fading_out, self._source = self._source, source
                source.start = self._played - source.position
                self._patches.clear()  # they were meant for the other one
                self._due.clear()
                self._post(StationChanged(source.settings))
            case LoadFailure(settings, error):
                if self._source is None or not isinstance(error, RadioError):
                    raise error
                self._post(Notice(f"{settings.title} cannot be played: {' '.join(str(error).split())}"))

    def _apply_changes(self, source: PlayerSource) -> None:
        while self._patches and source.can_change(self._patches[0]):
            patch = self._patches.popleft()
            landings = source.control(patch)
            bars = [spot.bar for name, spot in landings.items() if CONTROLS[name].lands != "mix"]
            self._post(ControlsChanged(patch, max(bars, default=None)))

    def _mix(self, source: PlayerSource, frames: Frames) -> Block:
        at = source.position
        block = source.render(frames)
        for event in source.events():
            frame = source.start + event.frame
            self._due.append((frame, EventPlayed(event, frame)))
        if self._fading_out is not None:
            # Equal power: the two have nothing in common, so their powers add.
            angle = np.minimum(1, (at + np.arange(len(block))) / CROSSFADE)[:, None] * (np.pi / 2)
            block = block * np.sin(angle) + self._fading_out.render(frames) * np.cos(angle)
            block = np.clip(block, -1, 1).astype(np.float32)
            self._fading_out.events()  # of the past, and they would pile up
            if at + len(block) >= CROSSFADE:
                Thread(target=_free, args=([self._fading_out],), name="free", daemon=True).start()
                self._fading_out = None
        gain = self.volume
        if gain != 1 or self._gain != 1:
            block = block * np.linspace(self._gain, gain, len(block), dtype=np.float32)[:, None]
            self._gain = gain
        return block

    def _write(self, block: Block) -> None:
        """Play it, now or on the card that comes back: nothing is lost but what the old one still held."""
        buffer = self._card.buffer
        try:
            self._writing = monotonic()
            self._card.write(block)
        except AudioError as error:
            self._post(Notice(f"The sound card does not play any more ({error}): waiting for one."))
        else:
            if self._card.buffer > buffer:
                self._post(Notice(f"The sound ran dry: from now on it is {self._card.buffer * 1000:.0f} ms ahead."))
            return
        finally:
            self._writing = None
        for wait in itertools.chain(_REOPEN_DELAYS, itertools.repeat(_REOPEN_DELAYS[-1])):
            if self._stop.wait(wait):
                return
            try:
                self._writing = monotonic()
                self._card.reopen()
                self._card.write(block)
            except AudioError:
                continue
            finally:
                self._writing = None
            self._post(Notice("The sound card is back."))
            return

    def _post_due(self, heard: Frames) -> None:
        self.playhead = heard
        while self._due and self._due[0][0] <= heard:
            self._post(self._due.popleft()[1])

    def _post(self, message: Message) -> None:
        self._messages.append(message)
        self._has_messages.set()


def _level(block: Block) -> Level:
    if not len(block):
        return Level((0.0, 0.0), (0.0, 0.0))
    left, right = np.abs(block).max(axis=0).tolist()
    powers = np.mean(np.square(block), axis=0).tolist()
    return Level((left, right), (powers[0], powers[1]))


def _free(held: list[PlayerSource]) -> None:
    """Free the only one that is held, and give its memory back to the system."""
    held.pop().close()
    gc.collect()  # a station refers to itself in places; its samples and weights should not wait for the collector
    with suppress(AttributeError):  # glibc keeps what is freed until it is told not to, and no other has this call
        ctypes.CDLL(None).malloc_trim(0)
