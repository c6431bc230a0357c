from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import socket
import sys
from pathlib import Path
from types import MappingProxyType

import pytest

from radio.errors import ServerError, SettingsError
from radio.server.app import serve
from radio.server.http.authorization import is_loopback
from radio.settings.config import RadioConfig
from radio.settings.server import ServerSettings
from radio.settings.station import StationSettings
from tests.server.on_air import DEADLINE, WORKER, on_air, until
from tests.server.routes.test_stations import get
from tests.server.tone_worker import settings


def config(*stations: StationSettings, **server: object) -> RadioConfig:
    server_settings = dataclasses.replace(ServerSettings(), **server)  # type: ignore[arg-type]
    return RadioConfig(
        MappingProxyType({station.name: station for station in stations or (settings(),)}), server_settings
    )


async def served(config: RadioConfig, host: str | tuple[str, ...] = "127.0.0.1", port: int = 0) -> list[str]:
    """Serve until the stations are on the air, then stop; return the addresses."""
    ready: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(config, host=host, port=port, on_ready=ready.set_result, worker=WORKER))
    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED, timeout=DEADLINE)
    if task.done():
        task.result()
    addresses = await asyncio.wait_for(ready, 0.1)
    port = int(addresses[0].rsplit(":", 1)[1].strip("/"))
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, DEADLINE)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    return addresses


async def test_serve_runs_until_cancelled_and_closes_its_socket() -> None:
    addresses = await served(config(settings(), settings("other")))
    root = addresses[0]
    assert root.startswith("http://127.0.0.1:")
    assert addresses == [root, f"{root}tone.opus", f"{root}other.opus"]


async def test_the_error_for_a_port_in_use_names_it_and_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerError, match=rf"port {port} .*--port"):
            await served(config(), port=port)


async def test_the_error_for_an_unusable_host_names_it() -> None:
    with pytest.raises(ServerError, match=r"203\.0\.113\.7"):
        await served(config(control=False), host="203.0.113.7")


async def test_a_host_beyond_loopback_needs_a_token_or_disabled_controls() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.4", "example.org", ""):
        with pytest.raises(SettingsError) as caught:
            await served(config(), host=host)
        for remedy in ("control_token", "control: false", "CONTROL_TOKEN", "--no-control", "--host 127.0.0.1"):
            assert remedy in str(caught.value)
    assert (await served(config(control_token="sesame-12"), host="0.0.0.0"))[0].startswith("http://localhost:")
    await served(config(control=False), host="0.0.0.0")


async def test_a_radio_that_is_told_to_stop_does_not_wait_until_its_stations_are_open(tmp_path: Path) -> None:
    started = tmp_path / "started"
    opens_never = (
        f"import os, sys; open({str(started)!r}, 'w'); [0 for _ in iter(lambda: os.read(int(sys.argv[1]), 9), b'')]"
    )
    addresses: list[str] = []
    served = serve(
        config(), host="127.0.0.1", port=0, on_ready=addresses.extend, worker=(sys.executable, "-c", opens_never)
    )
    task = asyncio.create_task(served)
    await until(started.exists)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, DEADLINE / 4)
    assert addresses == []


async def test_several_hosts_are_served_on_one_port() -> None:
    addresses = await served(config(control=False), host=("127.0.0.1", "::1"))
    first, second = addresses[:2]
    assert second == first.replace("127.0.0.1", "[::1]")
    assert addresses[2:] == [f"{first}tone.opus"]
    with pytest.raises(SettingsError, match=r"host 0\.0\.0\.0 can be reached"):
        await served(config(), host=("127.0.0.1", "0.0.0.0"))


async def test_the_host_argument_overrides_the_config() -> None:
    assert (await served(config(host="0.0.0.0"), host="127.0.0.1"))[0].startswith("http://127.0.0.1:")


def test_is_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.4", "example.org", "")))


async def test_a_station_that_fails_to_open_does_not_keep_the_others_off_the_air(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = settings("broken", description="fails to open")
    for stations in ([bad, settings()], [bad]):
        caplog.clear()
        assert (await served(config(*stations)))[0].startswith("http://")
        assert "'broken' cannot start: there is no soundfont at nowhere.sf2; it plays textures until" in caplog.text


async def test_a_station_that_fails_to_open_plays_textures_and_is_retried() -> None:
    async with on_air(settings(), settings("broken", description="fails to open"), start=False) as radio:
        with pytest.raises(ServerError, match="cannot start"):
            await radio.channels["broken"].start()
        await radio.tone.start()
        broken = radio.channels["broken"]
        await until(lambda: broken.edge.on_air)
        status, answer = await get(radio, "/readyz")
        assert (status, answer["stations"]) == (200, {"tone": True, "broken": True})  # its textures are heard
        _, listing = await get(radio, "/api/stations")
        assert [station["on_air"] for station in listing["stations"]] == [True, True]
        assert [station["tier"] for station in listing["stations"]] == ["music", "texture"]
        await until(lambda: broken.restarts >= 2)  # it is retried repeatedly
