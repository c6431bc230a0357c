"""The state of a station is saved once at a time, and the last save is the last one."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from radio.server.broadcast.state_folder import StateFolder
from tests.server.on_air import DEADLINE, on_air, until


class SlowFolder(StateFolder):
    """A folder whose writes take until `go_on` is set."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.go_on = threading.Event()
        self.steps: list[str] = []

    def write(self, name: str, saved: Any) -> None:
        self.steps.append(f"begins {saved}")
        self.go_on.wait(DEADLINE)
        self.steps.append(f"ends {saved}")


async def test_the_last_save_waits_for_one_that_was_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = SlowFolder(tmp_path)
    async with on_air(start=False, states=states) as radio:
        numbers = iter(range(9))
        monkeypatch.setattr(radio.tone._piece, "saved", lambda *_: next(numbers))
        save = asyncio.create_task(radio.tone.save_state())
        await until(lambda: states.steps == ["begins 0"])
        save.cancel()
        stop = asyncio.create_task(radio.tone.stop())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not stop.done()
        states.go_on.set()
        await stop
        assert states.steps == ["begins 0", "ends 0", "begins 1", "ends 1"]
