"""Signal handling of a running server, and waiting for the first of several coroutines."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager


@contextmanager
def on_hangup(reload: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Call `reload` at each SIGHUP inside the block."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Future[None]] = set()

    def start() -> None:
        task = asyncio.ensure_future(reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, start)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        for task in tasks:
            task.cancel()


@contextmanager
def on_termination() -> Iterator[asyncio.Event]:
    """Yield an event that the first SIGTERM inside the block sets. The second one cancels the current task."""
    loop, task, stopping = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()

    def stop() -> None:
        if stopping.is_set() and task is not None:
            task.cancel()
        stopping.set()

    loop.add_signal_handler(signal.SIGTERM, stop)
    try:
        yield stopping
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def first_of(*coroutines: Coroutine[object, object, object]) -> None:
    """Wait until one of the coroutines ends, and cancel the others. Raise its exception, if any."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()
