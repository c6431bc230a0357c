"""Saves of a station's state never overlap, and the last one to begin is the last one to end."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from radio.server.broadcast.state_folder import StateFolder
from tests.server.on_air import DEADLINE, on_air, until


class SlowFolder(StateFolder):
    """A folder whose writes do not end until `may_end` is set."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.may_end = threading.Event()
        self.steps: list[str] = []

    def write(self, name: str, saved: Any) -> None:
        self.steps.append(f"begins {saved}")
        self.may_end.wait(DEADLINE)
        self.steps.append(f"ends {saved}")


async def test_the_last_save_waits_for_a_cancelled_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        states.may_end.set()
        await stop
        assert states.steps == ["begins 0", "ends 0", "begins 1", "ends 1"]
