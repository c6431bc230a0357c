"""A worker whose station is a tone: `python -m tests.server.tone_worker FD` instead of `radio.worker.main`.

The station's description can select a fault that the server must survive.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from radio.audio.signal_guard import LIMIT, SignalError
from radio.errors import AudioError, ControlError, SnapshotError
from radio.settings.controls import CONTROLS, Controls
from radio.settings.station import StationSettings
from radio.station.resume import LogEntry, Snapshot
from radio.types import SAMPLE_RATE, Action, Block, Frames, Landing, StationEvent
from radio.worker import main as worker

BAR: Frames = SAMPLE_RATE
TRACK: Frames = 8 * BAR
SILENT_AT: Frames = 6 * SAMPLE_RATE


class ToneStation:
    """440 Hz on the left, 880 Hz on the right. A bar lasts a second and has one note; a track has eight bars."""

    def __init__(self, settings: StationSettings, *, begins: bool = True) -> None:
        del begins  # a tone has nothing to compose
        if settings.description == "fails to open":
            raise AudioError("there is no soundfont at nowhere.sf2")
        needed, _, path = settings.description.partition(" ")
        if needed == "needs" and not Path(path).exists():
            raise AudioError(f"{path} is missing")
        self.controls: Controls = settings.controls
        self.position: Frames = 0
        self._seed = settings.seed
        self._fault = settings.description
        self._aired: list[StationEvent] = []
        self._later: list[Mapping[str, object]] = []
        self._tracks = 0
        self._following: Frames = 0
        self._snapshot: Snapshot | None = None
        self._replayed: deque[LogEntry] = deque()
        self._marks: list[tuple[bytes, deque[LogEntry]]] = []
        self._branch: tuple[bytes, deque[LogEntry]] | None = None

    @property
    def next_bar_line(self) -> Frames:
        return -(-self.position // BAR) * BAR

    def prepare(self) -> None:
        """A tone has nothing to compose."""

    def render(self, frames: Frames) -> Block:
        if self._fault == "hangs after two seconds" and self.position >= 2 * SAMPLE_RATE:
            time.sleep(3_600)
        if self._fault == "raises after two seconds" and self.position >= 2 * SAMPLE_RATE:
            raise AudioError("the tone broke")
        if self._fault == "falls silent" and self.position >= SILENT_AT + LIMIT:
            raise SignalError("silent", SILENT_AT)
        parts, end = [], self.position + frames
        while self.position < end:
            while self._replayed and self._replayed[0].frame <= self.position:
                entry = self._replayed.popleft()
                if entry.patch:
                    self.control(entry.patch, entry.later)
                if entry.action:
                    self.act(entry.action)
            parts.append(self._play(min([end, *(entry.frame for entry in self._replayed)])))
        return np.concatenate(parts) if parts else np.zeros((0, 2), np.float32)

    def _play(self, end: Frames) -> Block:
        start = self.position
        for frame in range(-(-start // BAR) * BAR, end, BAR):
            self._bar(frame)
        t = np.arange(start, end) / SAMPLE_RATE
        self.position = end
        silent = self.controls.keys_mute or (self._fault == "falls silent" and start >= SILENT_AT)
        level = 0.0 if silent else 0.25
        return (level * np.sin(2 * np.pi * np.stack([440 * t, 880 * t], axis=1))).astype(np.float32)

    def control(self, patch: Mapping[str, object], later: Sequence[Mapping[str, object]] = ()) -> dict[str, Landing]:
        self._change(patch)
        self._later = [{}, *later] if later else []  # the next bar plays with `patch`
        bar = -(-self.position // BAR)
        now, next_bar = Landing(self.position // BAR + 1, self.position), Landing(bar + 1, bar * BAR)
        return {name: now if CONTROLS[name].lands == "mix" else next_bar for name in patch}

    def act(self, action: Action) -> Landing:
        bar = -(-self.position // BAR)
        if action.kind == "skip":
            self._following = bar * BAR
        if action.track is not None and action.track > self._tracks:
            raise ControlError(f"track {action.track} was not played recently", field="track", allowed="0")
        return Landing(bar + 1, bar * BAR)

    def prime(self, prime: object) -> dict[str, Landing]:
        bar = -(-self.position // BAR)
        return {"prime": Landing(bar + 1, bar * BAR), "track": Landing(bar + 4, (bar + 3) * BAR)}

    def events(self) -> list[StationEvent]:
        aired, self._aired = self._aired, []
        return aired

    @property
    def mixed(self) -> Frames:
        return self.position

    def take_snapshot(self) -> Snapshot | None:
        snapshot, self._snapshot = self._snapshot, None
        return snapshot

    def mark(self) -> None:
        self._marks.append((self._state(self.position), deque(self._replayed)))

    def rewind(self, frame: Frames) -> bool:
        if not self._marks:
            return False
        state, replayed = next(
            (mark for mark in reversed(self._marks) if json.loads(mark[0])[0] <= frame), self._marks[0]
        )
        self._restore(state)
        self._replayed = deque(replayed)
        return True

    def forget(self, frame: Frames) -> None:
        while len(self._marks) > 1 and json.loads(self._marks[1][0])[0] <= frame:
            del self._marks[0]

    def branch(self) -> None:
        self._branch = self._state(self.position), deque(self._replayed)

    def settle(self) -> None:
        self._marks = [self._branch] if self._branch else []

    def _state(self, frame: Frames) -> bytes:
        return json.dumps([frame, self._tracks, self._following, self.controls.as_json(), self._later]).encode()

    def _restore(self, state: bytes) -> None:
        self.position, self._tracks, self._following, controls, self._later = json.loads(state)
        self.controls = self.controls.changed(controls)
        self._aired.clear()
        self._snapshot = None

    def resume(self, snapshot: bytes, log: Sequence[LogEntry]) -> None:
        if snapshot:
            try:
                self._restore(snapshot)
            except ValueError as error:
                raise SnapshotError("no tone") from error
            self._marks.clear()
        self._replayed = deque(entry for entry in log if entry.frame > self.position or not snapshot)
        self._fault = ""

    def close(self) -> None:
        """A tone holds no resources."""

    def _change(self, patch: Mapping[str, object]) -> None:
        self.controls = self.controls.changed(patch)
        self._aired.append(StationEvent(self.position, "control", dict(patch)))  # type: ignore[arg-type]

    def _bar(self, frame: Frames) -> None:
        self._snapshot = Snapshot(frame, b"level", self._state(frame))
        if self._later and (step := self._later.pop(0)):
            self._change(step)
        number = frame // BAR
        if frame == self._following:
            self._tracks += 1
            self._following += TRACK
            title = f"Tone {self._tracks} of seed {self._seed}"
            self._aired.append(track_event(frame, title=title, number=self._tracks))
        self._aired.append(bar_event(frame, number=number + 1))
        self._aired.append(
            StationEvent(frame, "note", {"layer": "keys", "note": 69, "velocity": 80, "tick": 480 * (number + 1)})
        )


def track_event(frame: Frames, **changes: object) -> StationEvent:
    data = {
        "number": 0,
        "title": "A tone",
        "key": "A",
        "tempo": 60.0,
        "chords": ["Am7"],
        "bars": 8,
        "instruments": {"keys": 4},
    }
    return StationEvent(frame, "track", data | changes)  # type: ignore[operator,arg-type]


def bar_event(frame: Frames, **changes: object) -> StationEvent:
    data = {"number": 0, "chord": "Am7", "section": "A", "tempo": 240.0, "chords": ["Am7"], "place": 0}
    return StationEvent(frame, "bar", data | changes)  # type: ignore[operator,arg-type]


def settings(name: str = "tone", **changes: object) -> StationSettings:
    plain = StationSettings(name=name, title=f"Station {name}", progressions=(("Am7",),), description="a tone", seed=1)
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as server:
        worker.run(server, ToneStation)
