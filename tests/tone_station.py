"""A station that needs no model.

Processes that tests start import this module, so it does not import pytest.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from radio.types import SAMPLE_RATE, Action, Block, Frames, Landing, StationEvent


class ToneStation:
    """A stand-in for `radio.station.station.Station` that plays a tone, one track and a bar per second.

    The audio does not depend on the sizes of the blocks."""

    def __init__(self, *, fails_at: Frames | None = None, stalls_at: Sequence[Frames] = ()) -> None:
        self.position: Frames = 0
        self.next_bar_line: Frames = 0
        self.closed = False
        self._fails_at = fails_at
        self._stalls = list(stalls_at)
        self._events: list[StationEvent] = []

    def render(self, frames: Frames) -> Block:
        if self._fails_at is not None and self.position >= self._fails_at:
            raise ValueError("the tone broke off")
        if self._stalls and self.position >= self._stalls[0]:
            self._stalls.pop(0)
            time.sleep(0.6)
        times = np.arange(self.position, self.position + frames)
        if self.position == 0 and frames:
            data = {
                "title": "A Tone",
                "key": "A",
                "tempo": 60.0,
                "chords": ["Am"],
                "bars": 8,
                "number": 1,
                "instruments": {"keys": 4},
            }
            self._events.append(StationEvent(0, "track", data))
        for frame in times[times % SAMPLE_RATE == 0]:
            bar = {"number": int(frame) // SAMPLE_RATE + 1, "chord": "Am", "section": "A", "tempo": 60.0}
            self._events.append(StationEvent(int(frame), "bar", bar))
        self.position += frames
        self.next_bar_line = -(-self.position // SAMPLE_RATE) * SAMPLE_RATE
        wave = 0.25 * np.sin(2 * np.pi * 440 / SAMPLE_RATE * times)
        return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)

    def prepare(self) -> None:
        """A tone has nothing to compose."""

    def control(self, patch: Mapping[str, object], later: Sequence[object] = ()) -> dict[str, Landing]:
        bar, line = self.next_bar_line // SAMPLE_RATE + 1, self.next_bar_line
        return {name: Landing(bar, line) for name in patch}

    def act(self, action: Action) -> Landing:
        return Landing(self.next_bar_line // SAMPLE_RATE + 1, self.next_bar_line)

    def prime(self, prime: object) -> dict[str, Landing]:
        landing = Landing(self.next_bar_line // SAMPLE_RATE + 1, self.next_bar_line)
        return {"prime": landing, "track": landing}

    def events(self) -> list[StationEvent]:
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        self.closed = True
