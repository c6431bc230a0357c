"""Reloading the config while listeners are connected."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest

from radio.errors import SettingsError
from radio.server.api.reload import Reload
from radio.server.app import serve
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channel_set import ChannelSet
from radio.server.broadcast.listener_limits import BURST, LIMITS
from radio.server.broadcast.reloader import Reloader
from radio.server.http.authorization import AUTHORIZATION
from radio.settings.config import RadioConfig
from radio.settings.controls import Controls
from radio.settings.server import ServerSettings
from tests.server.on_air import DEADLINE, WORKER, on_air, until
from tests.server.test_app import config
from tests.server.tone_worker import settings


class Radio:
    """A server on a free port whose config a test can replace."""

    def __init__(self, config: RadioConfig, http: aiohttp.ClientSession) -> None:
        self.config: RadioConfig | SettingsError = config
        self.http = http
        self.root = ""

    def load(self) -> RadioConfig:
        if isinstance(self.config, SettingsError):
            raise self.config
        return self.config

    async def reload(self) -> Reload:
        async with self.http.post(f"{self.root}api/reload") as response:
            assert response.status == 200, await response.text()
            return msgspec.json.decode(await response.read(), type=Reload)

    async def get(self, path: str) -> dict[str, object]:
        async with self.http.get(f"{self.root}{path}") as response:
            assert response.status == 200
            body: dict[str, object] = await response.json()
            return body

    async def read(self, stream: aiohttp.ClientResponse, size: int) -> None:
        async with asyncio.timeout(DEADLINE):
            await stream.content.readexactly(size)


@contextlib.asynccontextmanager
async def running(first: RadioConfig) -> AsyncIterator[Radio]:
    async with aiohttp.ClientSession() as http:
        radio = Radio(first, http)
        ready: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        served = serve(first, host="127.0.0.1", port=0, on_ready=ready.set_result, load=radio.load, worker=WORKER)
        task = asyncio.create_task(served)
        radio.root = (await asyncio.wait_for(ready, DEADLINE))[0]
        try:
            yield radio
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_stations_are_added_changed_and_removed_while_the_others_keep_playing() -> None:
    before = config(settings(), settings("louder"), settings("goes"))
    async with running(before) as radio, radio.http.get(f"{radio.root}tone.opus") as tone:
        async with radio.http.get(f"{radio.root}louder.opus") as louder:
            await radio.read(tone, 1_000)
            await radio.read(louder, 1_000)
            radio.config = config(settings("new"), settings(), settings("louder", drum_kit=8))
            result = await radio.reload()
            assert result == Reload(added=["new"], changed=["louder"], removed=["goes"], failed={}, at_next_start=[])
            listing = await radio.get("api/stations")
            assert [station["name"] for station in listing["stations"]] == ["new", "tone", "louder"]  # type: ignore[attr-defined]
            # Both streams continue, the changed station's in a new worker.
            await radio.read(tone, 30_000)
            while await workers_of(radio, "louder") < 2:
                await radio.read(louder, 1_000)
        assert await workers_of(radio, "tone") == 1
        async with radio.http.get(f"{radio.root}goes.opus") as gone:
            assert gone.status == 404


async def workers_of(radio: Radio, name: str) -> int:
    """Return the number of workers that have played a station's tracks."""
    runs = (await radio.get(f"api/stations/{name}/history"))["runs"]
    assert isinstance(runs, list)
    return len(runs)


async def test_a_reload_changes_controls_without_a_new_worker_and_keeps_changes_made_on_air() -> None:
    async with running(config(settings(controls=Controls(tempo=70)))) as radio:
        async with radio.http.patch(f"{radio.root}api/stations/tone/controls", json={"swing": 60}) as response:
            assert response.status == 200
        async with radio.http.get(f"{radio.root}tone.opus") as stream:
            assert b"TITLE=Station tone" in await stream.content.readexactly(1_000)
        radio.config = config(settings(controls=Controls(tempo=84), title="Renamed"))
        assert (await radio.reload()).changed == ["tone"]
        station = await radio.get("api/stations/tone")
        controls = station["controls"]
        assert isinstance(controls, dict)
        assert (controls["tempo"]["value"], controls["swing"]["value"]) == (84, 60)
        async with radio.http.get(f"{radio.root}tone.opus") as stream:
            assert b"TITLE=Renamed" in await stream.content.readexactly(1_000)  # the first track is on the air
        assert station["title"] == "Renamed"
        assert await workers_of(radio, "tone") == 1


async def test_a_config_with_mistakes_is_refused_entirely(caplog: pytest.LogCaptureFixture) -> None:
    async with running(config(settings())) as radio:
        radio.config = SettingsError(["stations.yaml:3: tempo: 900 is above 110", "stations.yaml:9: no such key"])
        async with radio.http.post(f"{radio.root}api/reload") as response:
            assert response.status == 409
            message = (await response.json())["error"]["message"]
        assert "stations.yaml:3: tempo" in message
        assert "stations.yaml:9" in message
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: "refused: stations.yaml:3" in caplog.text)
        assert len((await radio.get("api/stations"))["stations"]) == 1  # type: ignore[arg-type]


async def test_a_station_that_fails_to_open_is_named_and_does_not_affect_the_others() -> None:
    async with running(config(settings())) as radio:
        radio.config = config(settings(), settings("broken", description="fails to open"))
        result = await radio.reload()
        assert "nowhere.sf2" in result.failed["broken"]
        assert (await radio.get("readyz"))["ok"] is True


async def test_access_rules_change_immediately_and_the_port_at_the_next_start() -> None:
    first = config(settings())
    async with running(first) as radio:
        radio.config = dataclasses.replace(
            first, server=dataclasses.replace(first.server, control_token="sesame-12", listeners=1, port=9)
        )
        assert (await radio.reload()).at_next_start == ["port"]
        async with radio.http.post(f"{radio.root}api/reload") as response:
            assert response.status == 401
        async with radio.http.get(f"{radio.root}tone.opus") as only:
            await radio.read(only, 100)
            async with radio.http.get(f"{radio.root}tone.opus") as second:
                assert second.status == 503


async def test_every_setting_of_the_server_changes_at_a_reload_or_is_named_for_the_next_start() -> None:
    first = ServerSettings()
    changed = ServerSettings(
        host="::1",
        port=9,
        control_token="sesame-12",
        control=False,
        burst={"opus": 1, "mp3": 2, "aac": 3},
        listeners=4,
        listeners_per_address=3,
        tracks=False,
        drain=9,
        hosts=("radio.home",),
    )
    names = [field.name for field in dataclasses.fields(ServerSettings)]
    assert [name for name in names if getattr(first, name) == getattr(changed, name)] == []
    async with on_air(start=False) as radio:
        channels = ChannelSet({}, Channel)
        await channels.start()
        reloader = Reloader(lambda: RadioConfig({}, changed), first, channels, radio.app, ("127.0.0.1",))
        result = await reloader.reload()
        assert result.at_next_start == ("host", "port", "tracks")
        authorization, limits = radio.app[AUTHORIZATION], radio.app[LIMITS]
        assert (authorization.control, authorization.token) == (changed.control, changed.control_token)
        assert authorization.hosts == changed.hosts
        assert (limits.per_station, limits.per_address) == (changed.listeners, changed.listeners_per_address)
        assert radio.app[BURST] == changed.burst
        assert reloader.drain == changed.drain
