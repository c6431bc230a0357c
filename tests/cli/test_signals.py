from __future__ import annotations

import asyncio
import os
import signal

import pytest

from radio.cli.signals import run_until_stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_between_callbacks_not_inside_one(number: signal.Signals) -> None:
    cancelling = []

    async def play() -> None:
        task = asyncio.current_task()
        assert task is not None
        os.kill(os.getpid(), number)
        cancelling.append(task.cancelling())
        try:
            await asyncio.sleep(60)
        finally:
            cancelling.append(task.cancelling())

    run_until_stopped(play())
    assert cancelling == [0, 1]


def test_a_second_interrupt_ends_the_cleanup() -> None:
    async def play() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(play())
