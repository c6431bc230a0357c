"""The service manager's protocol on a real socket, and a server that is told to stop."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from radio.errors import ServerError, SettingsError
from radio.server.app import serve
from radio.server.service_manager import ServiceManager
from tests.server.on_air import DEADLINE, WORKER, until
from tests.server.test_app import config
from tests.server.tone_worker import settings

DEPLOY = Path(__file__).parents[2] / "configs" / "deploy"


@pytest.fixture
def manager_socket(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(DEADLINE)
        yield receiver


def environment(manager_socket: socket.socket, **variables: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager_socket.getsockname(), **variables}


def test_variables_are_removed_so_that_children_cannot_notify_the_manager(manager_socket: socket.socket) -> None:
    variables = environment(manager_socket, WATCHDOG_USEC="3000000", LISTEN_FDS="0", LISTEN_PID="1", PATH="/bin")
    manager = ServiceManager(variables)
    assert variables == {"PATH": "/bin"}
    assert manager.watchdog_limit == 3
    manager.notify(READY="1", STATUS="on the air")
    assert manager_socket.recv(100) == b"READY=1\nSTATUS=on the air"


def test_limits_and_sockets_of_another_process_are_ignored() -> None:
    other = str(os.getpid() + 1)
    manager = ServiceManager(
        {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": other, "LISTEN_FDS": "1", "LISTEN_PID": other}
    )
    assert manager.watchdog_limit is None
    assert manager.sockets() == []


def test_notifying_a_manager_that_is_gone_does_not_fail(tmp_path: Path) -> None:
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nowhere")}).notify(READY="1")


async def test_the_watchdog_is_fed_by_audio_not_by_time(manager_socket: socket.socket) -> None:
    manager_socket.setblocking(False)
    manager = ServiceManager(environment(manager_socket, WATCHDOG_USEC="30000"))
    frame, calls, moving = 0, 0, True

    def progress() -> int:
        nonlocal frame, calls
        calls += 1
        frame += moving
        return frame

    def calls_after(number: int) -> Callable[[], bool]:
        before = calls
        return lambda: calls >= before + number

    feeding = asyncio.create_task(manager.feed_watchdog(progress))
    async with asyncio.timeout(DEADLINE):
        assert await asyncio.get_running_loop().sock_recv(manager_socket, 100) == b"WATCHDOG=1"
        moving = False
        await until(calls_after(3))
        while True:  # discard what was sent before the audio stopped
            try:
                manager_socket.recv(100)
            except BlockingIOError:
                break
        await until(calls_after(3))
    feeding.cancel()
    with pytest.raises(BlockingIOError):
        manager_socket.recv(100)


async def test_a_stopping_server_ends_streams_without_a_reset(manager_socket: socket.socket) -> None:
    manager_socket.setblocking(False)
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        manager = ServiceManager(environment(manager_socket))
        manager.sockets = lambda: [listening.dup()]  # type: ignore[method-assign]  # pytest uses descriptors from 3 up
        addresses: list[str] = []
        served = serve(
            config(settings(), drain=0.5), host="127.0.0.1", port=0, on_ready=addresses.extend, manager=manager,
            worker=WORKER,
        )  # fmt: skip
        task = asyncio.create_task(served)
        async with asyncio.timeout(DEADLINE):
            assert await loop.sock_recv(manager_socket, 100) == b"READY=1"
            assert addresses[0] == f"http://127.0.0.1:{listening.getsockname()[1]}/"
            async with aiohttp.ClientSession() as http:
                streams = [await http.get(f"{addresses[0]}tone.opus?burst=2") for _ in range(6)]
                for stream in streams:
                    await stream.content.readexactly(1_000)
                os.kill(os.getpid(), signal.SIGTERM)
                assert await loop.sock_recv(manager_socket, 100) == b"STOPPING=1"
                for stream in streams:
                    await stream.read()  # a reset would raise
                await task
        # The socket still listens: a client that connects now waits for the next process.
        _, writer = await asyncio.open_connection(*listening.getsockname())
        writer.close()


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")])
async def test_a_socket_open_to_every_network_needs_a_token(
    manager_socket: socket.socket, family: socket.AddressFamily, address: str
) -> None:
    with socket.create_server((address, 0), family=family) as listening:
        manager = ServiceManager(environment(manager_socket))
        manager.sockets = lambda: [listening.dup()]  # type: ignore[method-assign]
        with pytest.raises(SettingsError, match="ListenStream="):
            await serve(config(settings()), host="127.0.0.1", port=0, on_ready=list, manager=manager, worker=WORKER)


async def test_a_unix_socket_is_refused(manager_socket: socket.socket) -> None:
    """Only TCP reports how much audio a player has received."""
    with socket.socket(socket.AF_UNIX) as listening:
        manager = ServiceManager(environment(manager_socket))
        manager.sockets = lambda: [listening.dup()]  # type: ignore[method-assign]
        with pytest.raises(ServerError, match="not TCP"):
            await serve(config(settings()), host="127.0.0.1", port=0, on_ready=list, manager=manager, worker=WORKER)


def test_the_unit_listens_only_on_this_machine() -> None:
    assert "ListenStream=127.0.0.1:8000" in (DEPLOY / "radio.socket").read_text().splitlines()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    text = (DEPLOY / "radio.service").read_text().replace("/opt/radio/bin/radio", "/bin/true")
    (tmp_path / "radio.service").write_text(text)
    (tmp_path / "radio.socket").write_text((DEPLOY / "radio.socket").read_text())
    units = [str(tmp_path / "radio.service"), str(tmp_path / "radio.socket")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert "radio." not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr
