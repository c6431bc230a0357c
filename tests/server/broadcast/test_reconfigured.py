"""New settings for a station at any point in its worker's life."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from radio.errors import ServerError
from radio.server.broadcast import restarting_worker
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.station_files import FileCopies, StationFiles
from radio.settings.controls import Controls
from radio.settings.station import StationSettings
from tests.server.on_air import DEADLINE, WORKER, on_air, until
from tests.server.tone_worker import settings


async def test_changed_controls_are_kept_even_if_the_next_worker_opens_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    async with on_air(settings(controls=Controls(tempo=70))) as radio:
        monkeypatch.setattr(restarting_worker, "REQUEST_TIMEOUT", 0.0)
        await radio.tone.reconfigure(settings(controls=Controls(tempo=84), drum_kit=8))
        assert radio.tone.controls.tempo == 84
        await until(lambda: len(radio.tone.runs) == 2 and not radio.tone.postponed)
        run = radio.tone.runs[-1]
        assert run.settings.drum_kit == 8
        assert [dict(change.controls) for change in run.changes] == [{"tempo": 84}]


async def test_controls_that_could_not_be_changed_are_left_to_the_next_reload(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until then, the config differs from the settings."""
    monkeypatch.setattr(restarting_worker, "REQUEST_TIMEOUT", 0.0)
    async with on_air(settings(controls=Controls(tempo=70)), start=False) as radio:
        asked = settings(controls=Controls(tempo=84), title="Renamed")
        with pytest.raises(ServerError, match="being restarted"):
            await radio.tone.reconfigure(asked)
        assert radio.tone.settings.title == "Renamed"
        assert radio.tone.settings != asked
        assert radio.tone.settings.controls.tempo == radio.tone.controls.tempo == 70


async def test_the_piece_continues_through_many_changes_of_its_settings() -> None:
    """A worker that ends to make way for new settings has not failed."""
    async with on_air(settings(drum_kit=0)) as radio:
        seed = radio.tone.runs[-1].settings.seed
        for kit in (8, 16, 24, 25):
            await radio.tone.reconfigure(settings(drum_kit=kit))
            await until(lambda kit=kit: radio.tone.runs[-1].settings.drum_kit == kit)
        assert {run.settings.seed for run in radio.tone.runs} == {seed}


class SlowCopies(FileCopies):
    """Copies of files that are not made until `may_copy` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.copied: list[int] = []
        """The drum kits of the settings whose files were copied, in order."""
        self.may_copy = threading.Event()

    def of(self, settings: StationSettings) -> StationFiles:
        self.copied.append(settings.drum_kit)
        self.may_copy.wait(DEADLINE)
        return super().of(settings)


@contextlib.asynccontextmanager
async def starting(copies: FileCopies) -> AsyncIterator[Channel]:
    channel = Channel(settings(drum_kit=0), worker=WORKER, copies=copies)
    start = asyncio.create_task(channel.start())
    try:
        yield channel
        await asyncio.wait_for(start, DEADLINE)
        assert channel.runs[-1].settings.drum_kit == 8
    finally:
        await channel.stop()


async def test_files_are_copied_again_if_the_settings_change_during_the_copy() -> None:
    copies = SlowCopies()
    async with starting(copies) as channel:
        await until(lambda: copies.copied == [0])
        await channel.reconfigure(settings(drum_kit=8))
        copies.may_copy.set()
    assert copies.copied == [0, 8]


async def test_files_are_copied_again_if_the_settings_change_while_the_worker_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copies = SlowCopies()
    copies.may_copy.set()
    real, starts = restarting_worker.start_worker, 0

    async with starting(copies) as channel:

        @contextlib.asynccontextmanager
        async def start_worker(*arguments: Any) -> AsyncIterator[Any]:
            nonlocal starts
            async with real(*arguments) as process:
                starts += 1
                if starts == 1:
                    await channel.reconfigure(settings(drum_kit=8))
                yield process

        monkeypatch.setattr(restarting_worker, "start_worker", start_worker)
    assert copies.copied == [0, 8]
