"""The set of channels changes with the config."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from radio.errors import ServerError
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channel_set import ChannelSet
from radio.settings.station import StationSettings
from tests.server.on_air import DEADLINE, until
from tests.server.tone_worker import settings


class SlowChannel:
    """A channel that starts when `opened` is set, and fails if it is stopped before that."""

    def __init__(self, settings: StationSettings, opened: asyncio.Event) -> None:
        self.settings = settings
        self._opened = opened
        self._task: asyncio.Task[object] | None = None
        self.stopped = False

    async def start(self) -> None:
        self._task = asyncio.create_task(self._opened.wait())
        await self._task

    async def ended(self) -> None:
        await asyncio.Event().wait()

    async def save_state(self) -> None:
        """Do nothing: the channel has no state."""

    async def stop(self) -> None:
        self.stopped = True
        if self._task is not None:
            self._task.cancel()


async def test_a_change_waits_until_all_channels_have_started() -> None:
    opened = asyncio.Event()
    channels = ChannelSet(
        {name: settings(name) for name in ("stays", "goes")},
        lambda station: cast("Channel", SlowChannel(station, opened)),
    )
    starting = asyncio.create_task(channels.start())
    applying = asyncio.create_task(channels.apply({name: settings(name) for name in ("stays", "comes")}))
    for _ in range(5):
        await asyncio.sleep(0)
    assert list(channels.channels) == ["stays", "goes"]
    opened.set()
    await asyncio.wait_for(starting, DEADLINE)
    changes = await asyncio.wait_for(applying, DEADLINE)
    assert (changes.added, changes.removed) == (("comes",), ("goes",))
    assert list(channels.channels) == ["stays", "comes"]
    await channels.stop()


async def test_stopping_also_ends_a_station_that_is_being_added() -> None:
    """A reload may be in progress when the radio stops."""
    opened, made = asyncio.Event(), list[SlowChannel]()

    def open_channel(station: StationSettings) -> Channel:
        made.append(SlowChannel(station, opened))
        return cast("Channel", made[-1])

    channels = ChannelSet({"stays": settings("stays")}, open_channel)
    opened.set()
    await asyncio.wait_for(channels.start(), DEADLINE)
    opened.clear()
    applying = asyncio.create_task(channels.apply({name: settings(name) for name in ("stays", "comes", "later")}))
    await until(lambda: len(made) == 2)
    await asyncio.wait_for(channels.stop(), DEADLINE)
    await asyncio.wait([applying], timeout=DEADLINE)
    assert [(channel.settings.name, channel.stopped) for channel in made] == [("stays", True), ("comes", True)]
    with pytest.raises(ServerError, match="stopping"):
        await channels.apply({name: settings(name) for name in ("stays", "last")})
    assert len(made) == 2


async def test_a_station_that_raises_an_unexpected_error_is_stopped() -> None:
    made = list[SlowChannel]()

    class Broken(SlowChannel):
        async def start(self) -> None:
            raise RuntimeError("never seen before")

    def open_channel(station: StationSettings) -> Channel:
        made.append(Broken(station, asyncio.Event()))
        return cast("Channel", made[-1])

    channels = ChannelSet({}, open_channel)
    await channels.start()
    with pytest.raises(RuntimeError, match="never seen before"):
        await channels.apply({"comes": settings("comes")})
    assert [channel.stopped for channel in made] == [True]
