"""Requests to a worker that ends, and the order in which its messages are handled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from radio.errors import ServerError
from radio.server.broadcast import restarting_worker
from radio.server.broadcast.restarting_worker import RestartingWorker, WorkerCallbacks
from radio.worker.wire import ChangeControls, ControlsLanded, Message, Rendered, StationReady
from tests.server.on_air import COPIES, DEADLINE, until
from tests.server.tone_worker import settings


class ScriptedProcess:
    """A worker's process that sends `opening`, then a batch of messages for each change; it ends without a batch."""

    exit_message = "the worker ended"

    def __init__(self, opening: Sequence[Message], answers: Callable[[int], list[Message]] | None) -> None:
        self.ready = False
        self.killed_because = ""
        self._answers = answers
        self._batches = asyncio.Queue[list[Message] | None]()
        self._batches.put_nowait([*opening])
        if answers is None:
            self._batches.put_nowait(None)

    def send(self, message: Message) -> None:
        if isinstance(message, ChangeControls) and self._answers:
            self._batches.put_nowait(self._answers(message.number))

    async def receive(self) -> list[Message] | None:
        return await self._batches.get()

    def kill(self, reason: str) -> None:
        self.killed_because = reason
        self._batches.put_nowait(None)


@contextlib.asynccontextmanager
async def running(
    monkeypatch: pytest.MonkeyPatch, *processes: ScriptedProcess, on_message: Callable[[Message], None] = lambda _: None
) -> AsyncIterator[RestartingWorker]:
    """Run a worker that has one process after the other."""
    remaining = iter(processes)

    @contextlib.asynccontextmanager
    async def start_worker(*_: object) -> AsyncIterator[ScriptedProcess]:
        yield next(remaining)

    monkeypatch.setattr(restarting_worker, "start_worker", start_worker)
    callbacks = WorkerCallbacks(
        start=lambda _: (settings(), None, ()),
        on_ready=lambda _: None,
        on_message=on_message,
        on_failure=lambda _: None,
        on_exit=lambda _: None,
    )
    worker = RestartingWorker(settings(), (), callbacks, COPIES, 0)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def slower(number: int) -> ChangeControls:
    return ChangeControls(number, {"tempo": 66})


async def test_a_request_goes_to_the_next_worker_if_one_ends_as_soon_as_it_has_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = ScriptedProcess([StationReady(0)], None)
    second = ScriptedProcess([StationReady(0)], lambda number: [ControlsLanded(number, {}, 7)])
    async with running(monkeypatch, first, second) as worker, asyncio.timeout(restarting_worker.REQUEST_TIMEOUT / 2):
        assert (await worker.request(slower)).mixed == 7


async def test_an_answer_is_recorded_before_later_messages_are_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy server gets the answer and the steps that follow it at once."""
    order, handled_all = list[str](), asyncio.Event()
    process = ScriptedProcess([StationReady(0)], lambda number: [ControlsLanded(number, {}, 0), Rendered(1)])

    def handled(message: Message) -> None:
        order.append(type(message).__name__)
        handled_all.set()

    async with running(monkeypatch, process, on_message=handled) as worker, asyncio.timeout(DEADLINE):
        order.append(type(await worker.request(slower)).__name__)
        await handled_all.wait()
    assert order == ["ControlsLanded", "Rendered"]


async def test_a_worker_that_does_not_answer_is_killed_so_that_it_cannot_make_the_change_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(restarting_worker, "REQUEST_TIMEOUT", 0.2)
    silent = ScriptedProcess([StationReady(0)], lambda _: [])
    async with running(monkeypatch, silent, ScriptedProcess([], lambda _: [])) as worker:
        await until(lambda: worker.ready)
        with pytest.raises(ServerError, match="did not answer"):
            await worker.request(slower)
        assert "did not answer" in silent.killed_because
