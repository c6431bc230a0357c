"""Playback of stations on a sound card, mixed just ahead of it, so that control changes are heard immediately."""

from __future__ import annotations

import ctypes
import gc
import itertools
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from threading import Event, Thread
from time import monotonic
from typing import Final, Protocol

import numpy as np

from radio.errors import AudioError, ControlError, RadioError
from radio.playback.messages import (
    ActionDone,
    ControlsChanged,
    EventPlayed,
    Level,
    Notice,
    PlayerMessage,
    StationChanged,
    StationFailed,
)
from radio.playback.source import LoadFailure, PlayerSource, SourceLoader
from radio.settings.controls import CONTROLS
from radio.settings.station import StationSettings
from radio.station.protocol import OpenStation
from radio.types import SAMPLE_RATE, Action, Block, Frames, JsonValue, Seconds

PLAYER_BLOCK: Final[Frames] = SAMPLE_RATE // 50
"""Frames mixed at a time; controls change between two blocks."""
CROSSFADE: Final[Frames] = SAMPLE_RATE
_REOPEN_DELAYS: Final[tuple[Seconds, ...]] = (0.5, 1, 2, 4)
"""Waits before each attempt to reopen a lost sound card; the last wait repeats."""
_STUCK_AFTER: Final[Seconds] = 2.0
"""Time in one call to the sound card after which it counts as stuck."""
_MAX_MESSAGES: Final = 4096
"""Largest number of unread messages kept: a few minutes' worth, for a terminal that is suspended."""


class OutputDevice(Protocol):
    """The interface of a sound card that the player needs."""

    @property
    def buffer(self) -> Seconds:
        """Length of the device's buffer; it grows after underruns."""

    @property
    def buffered(self) -> Frames:
        """Frames written but not heard yet."""

    def write(self, block: Block) -> None:
        """Write a block. Raise AudioError if the device is gone."""

    def drain(self) -> None:
        """Wait until all written frames have been heard."""

    def reopen(self) -> None:
        """Open the device again. Raise AudioError if it is not available."""


class Player:
    """A player of one station after another on an output device, in its own thread.

    Args:
        device: An open device, which the caller must close.
        open_station: Loads a station; called in another thread.
        frames: Number of frames to play; None for no limit.
    """

    def __init__(self, device: OutputDevice, open_station: OpenStation, *, frames: Frames | None = None) -> None:
        self.volume = 1.0
        """Linear gain, 0–1; may be set at any time."""
        self.playhead: Frames = 0
        """The frame that is heard now, counted from the first one played."""
        self._device = device
        self._remaining = frames
        self._loader = SourceLoader(open_station)
        self._source: PlayerSource | None = None
        self._fading_out: PlayerSource | None = None
        self._changes: deque[Mapping[str, JsonValue] | Action] = deque()
        self._messages: deque[PlayerMessage] = deque(maxlen=_MAX_MESSAGES)
        self._due: deque[tuple[Frames, PlayerMessage]] = deque()
        self._levels: deque[tuple[Frames, Level]] = deque(maxlen=4 * SAMPLE_RATE // PLAYER_BLOCK)
        self._played: Frames = 0
        self._gain = 1.0
        self._call_started: float | None = None
        self._has_messages, self._stop, self._finished = Event(), Event(), Event()
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, name="mix", daemon=True)

    def start(self, settings: StationSettings) -> None:
        """Load a station and play it."""
        self.change_station(settings)
        self._thread.start()

    def change_station(self, settings: StationSettings | None) -> None:
        """Load another station and fade to it; the current one plays until then.

        `StationChanged` or `StationFailed` follows. None cancels the loading of a station.
        """
        self._loader.load(settings)

    def change_controls(self, patch: Mapping[str, JsonValue]) -> None:
        """Change controls of the current station; each value must be in its range. `ControlsChanged` follows."""
        self._changes.append(dict(patch))

    def act(self, action: Action) -> None:
        """Perform a listener's action. `ActionDone` or `Notice` follows."""
        self._changes.append(action)

    def messages(self, timeout: Seconds | None) -> list[PlayerMessage]:
        """Return the messages since the last call. Wait for one up to `timeout`, or indefinitely if it is None."""
        self._has_messages.wait(timeout)
        self._has_messages.clear()
        return [self._messages.popleft() for _ in range(len(self._messages))]

    def level(self) -> Level | None:
        """Return the level of the frames heard since the last call, or None if there were none."""
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
        """True if a call to the output device has not returned for `_STUCK_AFTER`."""
        started = self._call_started
        return started is not None and monotonic() - started > _STUCK_AFTER

    @property
    def playing(self) -> bool:
        """True until all frames have been heard. If an exception ended playback, raise it."""
        if self._error is not None:
            raise self._error
        return not self._finished.is_set()

    def close(self, timeout: Seconds = 3.0) -> bool:
        """Stop and free the stations. Return False if the output device is stuck and blocks the player's thread."""
        self._stop.set()
        self._thread.join(timeout)
        if self._thread.is_alive():
            return False
        self._loader.close()
        return True

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and self._remaining != 0:
                self._start_loaded()
                if self._source is None:
                    self._stop.wait(0.005)
                    continue
                self._apply_changes(self._source)
                block = self._mix(
                    self._source, PLAYER_BLOCK if self._remaining is None else min(PLAYER_BLOCK, self._remaining)
                )
                self._played += len(block)
                self._remaining = None if self._remaining is None else self._remaining - len(block)
                self._levels.append((self._played, _level(block)))
                self._write(block)
                self._post_due(self._played - self._device.buffered)
            if not self._stop.is_set():
                self._device.drain()
                self._post_due(self._played)
        except Exception as error:  # noqa: BLE001  # `playing` raises it
            self._error = error
        finally:
            for source in (self._source, self._fading_out):
                if source is not None:
                    source.close()
            self._finished.set()
            self._has_messages.set()

    def _start_loaded(self) -> None:
        """Start a station that has been loaded, unless a fade is in progress."""
        if self._fading_out is not None:
            return
        match self._loader.take():
            case PlayerSource() as source:
                self._fading_out, self._source = self._source, source
                source.start = self._played - source.position
                self._changes.clear()  # they were meant for the other station
                self._due.clear()
                self._post(StationChanged(source.settings))
            case LoadFailure(settings, error):
                if self._source is None or not isinstance(error, RadioError):
                    raise error
                self._post(StationFailed(settings, " ".join(str(error).split())))

    def _apply_changes(self, source: PlayerSource) -> None:
        while self._changes and source.can_change(self._changes[0]):
            patch = self._changes.popleft()
            if isinstance(patch, Action):
                self._act(source, patch)
                continue
            landings = source.control(patch)
            bars = [landing.bar for name, landing in landings.items() if CONTROLS[name].lands != "mix"]
            self._post(ControlsChanged(patch, max(bars, default=None)))

    def _act(self, source: PlayerSource, action: Action) -> None:
        try:
            self._post(ActionDone(action, source.act(action).bar))
        except ControlError as error:
            self._post(Notice(f"{error}."))

    def _mix(self, source: PlayerSource, frames: Frames) -> Block:
        position = source.position
        block = source.render(frames)
        for event in source.events():
            frame = source.start + event.frame
            self._due.append((frame, EventPlayed(event, frame)))
        if self._fading_out is not None:
            # Equal power: the stations are uncorrelated, so their powers add.
            angle = np.minimum(1, (position + np.arange(len(block))) / CROSSFADE)[:, None] * (np.pi / 2)
            block = block * np.sin(angle) + self._fading_out.render(frames) * np.cos(angle)
            block = np.clip(block, -1, 1).astype(np.float32)
            self._fading_out.events()  # discard them, or they pile up
            if position + len(block) >= CROSSFADE:
                Thread(target=_free, args=([self._fading_out],), name="free", daemon=True).start()
                self._fading_out = None
        gain = self.volume
        if gain != 1 or self._gain != 1:
            block = block * np.linspace(self._gain, gain, len(block), dtype=np.float32)[:, None]
            self._gain = gain
        return block

    def _write(self, block: Block) -> None:
        """Write a block; if the device is gone, reopen it first. Only frames in a lost device's buffer are lost."""
        buffer = self._device.buffer
        try:
            self._call_started = monotonic()
            self._device.write(block)
        except AudioError as error:
            self._post(Notice(f"The sound card stopped ({error}). Waiting for it to come back."))
        else:
            if self._device.buffer > buffer:
                self._post(Notice(f"Audio underrun: the buffer is now {self._device.buffer * 1000:.0f} ms."))
            return
        finally:
            self._call_started = None
        for wait in itertools.chain(_REOPEN_DELAYS, itertools.repeat(_REOPEN_DELAYS[-1])):
            if self._stop.wait(wait):
                return
            try:
                self._call_started = monotonic()
                self._device.reopen()
                self._device.write(block)
            except AudioError:
                continue
            finally:
                self._call_started = None
            self._post(Notice("The sound card is back."))
            return

    def _post_due(self, playhead: Frames) -> None:
        """Move the playhead, and post the messages whose frames it has reached."""
        self.playhead = playhead
        while self._due and self._due[0][0] <= playhead:
            self._post(self._due.popleft()[1])

    def _post(self, message: PlayerMessage) -> None:
        self._messages.append(message)
        self._has_messages.set()


def _level(block: Block) -> Level:
    if not len(block):
        return Level((0.0, 0.0), (0.0, 0.0))
    left, right = np.abs(block).max(axis=0).tolist()
    powers = np.mean(np.square(block), axis=0).tolist()
    return Level((left, right), (powers[0], powers[1]))


def _free(sources: list[PlayerSource]) -> None:
    """Close the only source in a list, and return its memory to the system. The list avoids a remaining reference."""
    sources.pop().close()
    gc.collect()  # stations contain reference cycles, which would delay freeing their samples and weights
    with suppress(AttributeError):  # only glibc keeps freed memory, and only glibc has this call to return it
        ctypes.CDLL(None).malloc_trim(0)
