"""The worker process of a station: started, watched, and replaced when it ends."""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from radio.errors import ControlError, ServerError, StreamError
from radio.server.broadcast.worker_runs import digests
from radio.types import Frames, Landing, Seconds
from radio.worker.supervisor import WorkerProcess, start_worker
from radio.worker.wire import ControlsLanded, ControlsRefused, Message, Start, StationFailed, StationReady

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

REQUEST_TIMEOUT: Seconds = 5.0
"""Longest time that a worker may take to answer a request."""

RESTART_DELAYS: Final[tuple[Seconds, ...]] = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Waits before the next starts; a worker that has played for a minute begins the list again."""

_STABLE: Seconds = 60.0


@dataclass(frozen=True, slots=True)
class StartedStation:
    """A station that a worker has opened.

    settings: the settings with which the worker was started.
    digests: SHA-256 of each checkpoint.
    frame: the first frame on the worker's clock.
    """

    settings: StationSettings
    digests: Mapping[str, str]
    frame: Frames


@dataclass(frozen=True, slots=True)
class WorkerCallbacks:
    """The functions that a `RestartingWorker` calls.

    settings: returns the settings for the next worker.
    on_ready: called when a worker has opened its station.
    on_message: called with each message that is no answer to a request. May raise ServerError or StreamError, which
        replace the worker.
    on_failure: called with the reason when a worker has ended. May raise, which ends `RestartingWorker.run`.
    on_exit: called when a worker is gone, before `on_failure`.
    """

    settings: Callable[[], StationSettings]
    on_ready: Callable[[StartedStation], None]
    on_message: Callable[[Message], None]
    on_failure: Callable[[Exception], None]
    on_exit: Callable[[], None]


class RestartingWorker:
    """A worker process that is replaced when it ends.

    Args:
        name: The station.
        command: The command that becomes the worker.
        callbacks: Called from the event loop.
    """

    def __init__(self, name: str, command: Sequence[str], callbacks: WorkerCallbacks) -> None:
        self.restarts = 0
        self._name = name
        self._command = tuple(command)
        self._callbacks = callbacks
        self._log = logging.getLogger(f"radio.station.{name}")
        self._process: WorkerProcess | None = None
        self._replacing = False
        self._requests: dict[int, asyncio.Future[Mapping[str, Landing]]] = {}
        self._last_request = 0

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def ready(self) -> bool:
        """True if a worker is running and has opened its station."""
        return self._process is not None and self._process.ready

    def send(self, message: Message) -> None:
        """Send a message; without a worker it is lost."""
        if self._process is not None:
            self._process.send(message)

    async def request(self, message: Callable[[int], Message]) -> Mapping[str, Landing]:
        """Send a request and return its answer.

        Args:
            message: Makes the message from the request's number.

        Raises:
            ControlError: The worker refused the request.
            ServerError: The worker is being restarted or does not answer.
        """
        if not self.ready:
            raise ServerError(f"{self._name} is being restarted; try again in a few seconds")
        self._last_request += 1
        number = self._last_request
        answer: asyncio.Future[Mapping[str, Landing]] = asyncio.get_running_loop().create_future()
        self._requests[number] = answer
        try:
            self.send(message(number))
            async with asyncio.timeout(REQUEST_TIMEOUT):
                landings = await answer
        except TimeoutError as error:
            raise ServerError(f"{self._name} did not answer within {REQUEST_TIMEOUT:g} s") from error
        finally:
            self._requests.pop(number, None)
        return landings

    def replace(self) -> None:
        """End the worker on purpose. The next one starts at once, with the latest settings."""
        if self._process is not None:
            self._replacing = True
            self._process.close()

    async def run(self) -> None:
        """Run workers, one after the other, until cancelled or until `on_failure` raises."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._run_worker()
            except (ServerError, StreamError, OSError) as error:
                if self._replacing:
                    self._replacing = False
                    continue
                self._callbacks.on_failure(error)
            failures = 1 if time.monotonic() - began > _STABLE else min(failures + 1, len(RESTART_DELAYS))
            await asyncio.sleep(RESTART_DELAYS[failures - 1])
            self.restarts += 1

    async def _run_worker(self) -> None:
        """Run one worker until it ends. Always raises ServerError, StreamError or OSError with the reason."""
        async with start_worker(self._command, self._log_line) as process:
            settings = self._callbacks.settings()
            self._process = process
            try:
                process.send(Start(pickle.dumps(settings)))
                sums = await asyncio.to_thread(digests, settings)
                while (messages := await process.receive()) is not None:
                    for message in messages:
                        self._handle(message, process, settings, sums)
            finally:
                self._process = None
                self._callbacks.on_exit()
                self._fail_requests()
        raise ServerError(process.exit_message)

    def _log_line(self, line: str) -> None:
        self._log.warning("station '%s': %s", self._name, line)

    def _handle(
        self, message: Message, process: WorkerProcess, settings: StationSettings, sums: Mapping[str, str]
    ) -> None:
        match message:
            case StationReady(frame):
                process.ready = True
                self._callbacks.on_ready(StartedStation(settings, sums, frame))
            case StationFailed(reason):
                raise ServerError(reason)
            case ControlsLanded(number, landings):
                if (request := self._requests.get(number)) and not request.done():
                    request.set_result(landings)
            case ControlsRefused(number, reason, field, allowed):
                if (request := self._requests.get(number)) and not request.done():
                    request.set_exception(ControlError(reason, field=field, allowed=allowed))
            case _:
                self._callbacks.on_message(message)

    def _fail_requests(self) -> None:
        for request in self._requests.values():
            if not request.done():
                request.set_exception(ServerError(f"{self._name} is being restarted"))
