"""Listeners that stop reading and processes that stop, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time

import pytest

from radio.stream.relay.relay import LAG_LIMIT
from radio.types import SAMPLE_RATE
from tests.server import tone_server
from tests.server.on_air import OnAir, on_air, until
from tests.server.player import Player
from tests.stream.ogg_reader import check_one_stream

TCP_CLOSE = 7


async def stop_reading(radio: OnAir, *, buffer: int, after: float) -> float:
    """Listen for a while, then stop reading; return the seconds until the server resets the connection."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.setblocking(False)
        await loop.sock_connect(client, (radio.host, radio.port))
        await loop.sock_sendall(client, b"GET /tone.opus HTTP/1.0\r\n\r\n")
        end = time.monotonic() + after
        while (left := end - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    await loop.sock_recv(client, 65_536)
            except TimeoutError:
                break
        stopped = time.monotonic()
        await until(lambda: client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_CLOSE, 2 * LAG_LIMIT)
        return time.monotonic() - stopped


@pytest.mark.slow
async def test_three_stalled_listeners_are_disconnected_and_thirty_others_stay() -> None:
    """One never reads; the others stop after 10 s, with receive buffers of 8 MiB and 128 KiB."""
    async with on_air() as radio, asyncio.TaskGroup() as group:
        await until(lambda: radio.tone.edge.live > 25 * SAMPLE_RATE, 60)
        good = [Player(radio.host, radio.port, f"/tone.opus?burst={2 + number % 21}") for number in range(30)]
        listening = [group.create_task(player.listen(LAG_LIMIT + 60)) for player in good]
        stalls = [
            group.create_task(stop_reading(radio, buffer=buffer, after=after))
            for buffer, after in ((4_096, 0.0), (8 << 20, 10.0), (131_072, 10.0))
        ]
        for stall in stalls:
            assert await stall < LAG_LIMIT + 40  # and checks are six seconds apart
        for task in listening:
            await task
        counts = radio.tone.mount("opus").relay.counts
        assert (counts.joined, counts.slow_disconnects, radio.tone.listeners) == (33, 3, 30)
    pages: dict[int, bytes] = {}
    for player in good:
        for page in check_one_stream(bytes(player.body), checksums=False):
            assert pages.setdefault(page.sequence, page.raw) == page.raw
        assert player.least > 0


@pytest.mark.slow
@pytest.mark.parametrize("stopped", ["worker", "server"])
async def test_a_stall_of_twelve_seconds_is_inaudible_a_minute_after_joining(stopped: str) -> None:
    """The player's buffer suffices, and the stream continues without a gap."""
    with tone_server.running() as server:
        await asyncio.sleep(25)
        player = Player("127.0.0.1", server.port)
        listening = asyncio.create_task(player.listen(60 + 12 + 20))
        await asyncio.sleep(60)
        worker = server.worker
        victim = worker if stopped == "worker" else server.pid
        os.kill(victim, signal.SIGSTOP)
        await asyncio.sleep(12)
        with contextlib.suppress(ProcessLookupError):  # a worker that is silent for that long is replaced
            os.kill(victim, signal.SIGCONT)
        await listening
        if stopped == "server":
            assert server.worker == worker, "the server mistook its own pause for the worker's"
    pages = check_one_stream(bytes(player.body), checksums=False)
    assert len(pages) * 3_840 / SAMPLE_RATE > 60 + 20 + 20
    assert player.least > 0
