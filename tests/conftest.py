"""The settings of all tests, a station that needs no model, and the command `radio` as a fixture."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does, before numpy is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's threads would wait for each other on a busy machine

os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="radio-test-states-")  # not the user's own states

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from radio.types import SAMPLE_RATE, Action, Block, Frames, Landing, StationEvent
from tests.server.forked_workers import workers_forked

# A shell that runs the tests in the background has SIGINT ignored, and every program they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The time of one example says nothing on a busy machine: no deadline, and no check of how long it takes to draw data.
_EXAMPLES = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
settings.register_profile("fast", max_examples=40, **_EXAMPLES)  # type: ignore[arg-type]
settings.register_profile("thorough", max_examples=100, **_EXAMPLES)  # type: ignore[arg-type]
settings.load_profile("fast")  # `make test-all` selects the other one

gc.disable()  # until all tests are collected: what is imported and collected stays

Radio = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that share a module's fixture in one process of xdist, which sets the fixture up once."""
    for item in items:
        definitions = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
        if any(fixtures[-1].scope == "module" for fixtures in definitions.values()):
            item.add_marker(pytest.mark.xdist_group(item.path.as_posix()))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave modules and tests out of all later collections of garbage."""
    gc.collect()
    gc.freeze()
    gc.enable()


class ToneStation:
    """Stands in for `radio.station.station.Station`: a tone, a track at once and a bar each second,
    split-independent."""

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


@pytest.fixture(scope="session", autouse=True)
def forked_workers() -> Iterator[None]:
    with workers_forked():
        yield


@pytest.fixture
def tone() -> ToneStation:
    return ToneStation()


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    """The command `radio`, run as a program in an empty folder."""

    def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "radio", *arguments]
        settings = {"capture_output": True, "timeout": 120, "cwd": tmp_path, "stdin": subprocess.DEVNULL} | options
        return subprocess.run(command, check=False, **settings)  # type: ignore[call-overload,no-any-return]

    return run
