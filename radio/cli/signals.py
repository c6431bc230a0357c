"""Handling of SIGINT and SIGTERM, which stop playback."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType


@contextmanager
def handled_by(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> Iterator[None]:
    """Handle both signals with `handler` inside the block."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def stop_event() -> Iterator[threading.Event]:
    """Yield an event that the first SIGINT or SIGTERM sets. The second one raises KeyboardInterrupt."""
    stop = threading.Event()

    def handle(_number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    with handled_by(handle):
        yield stop


def run_until_stopped(coroutine: Coroutine[object, object, None]) -> None:
    """Run a coroutine until it returns or a signal cancels it: SIGINT, SIGTERM, or SIGHUP of a closed terminal.

    A second signal cuts its cleanup short.
    """
    import asyncio

    async def run() -> None:
        task = asyncio.ensure_future(coroutine)
        loop = asyncio.get_running_loop()

        def interrupt() -> None:
            loop.remove_signal_handler(signal.SIGINT)  # the second one raises KeyboardInterrupt
            task.cancel()

        # The loop cancels between two callbacks. The handler of asyncio.run cancels futures while a callback uses them.
        loop.add_signal_handler(signal.SIGINT, interrupt)
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` sets it; a server reloads instead
            loop.add_signal_handler(signal.SIGHUP, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
