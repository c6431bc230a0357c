"""Signals to a running server."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from radio.server.lifecycle import on_termination
from tests.server.on_air import DEADLINE


async def test_the_first_sigterm_is_reported_and_the_second_cancels() -> None:
    reported = asyncio.Event()

    async def serve() -> None:
        with on_termination() as stopping:
            os.kill(os.getpid(), signal.SIGTERM)
            await stopping.wait()
            reported.set()
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(DEADLINE)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.create_task(serve()), DEADLINE / 2)
    assert reported.is_set()
