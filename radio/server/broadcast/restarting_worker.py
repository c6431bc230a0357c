"""The worker process of a station: started, watched, and replaced when it ends."""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from radio.errors import ControlError, OpeningError, ServerError, SnapshotError, StreamError
from radio.server.broadcast.stall_watch import processor_time_of
from radio.server.broadcast.station_files import FileCopies, StationFiles
from radio.station.resume import Resume
from radio.types import Frames, Seconds
from radio.worker.supervisor import WorkerProcess, start_worker
from radio.worker.wire import (
    ChangeControls,
    ControlsLanded,
    ControlsRefused,
    Message,
    Start,
    StationFailed,
    StationReady,
)

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

REQUEST_TIMEOUT: Seconds = 10.0
"""Longest time that a worker may take to answer a request."""

RESTART_DELAYS: Final[tuple[Seconds, ...]] = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Delays before successive restarts. A worker that has run for a minute starts the list over."""

_STABLE: Seconds = 60.0


@dataclass(frozen=True, slots=True)
class StartedStation:
    """A station that a worker has opened.

    settings: the settings with which the worker was started.
    digests: SHA-256 of each checkpoint.
    frame: the first frame on the worker's clock.
    resumed: whether it continues where another one stopped.
    """

    settings: StationSettings
    digests: Mapping[str, str]
    frame: Frames
    resumed: bool


@dataclass(frozen=True, slots=True)
class WorkerCallbacks:
    """The functions that a `RestartingWorker` calls.

    start: returns, given the SHA-256 of each checkpoint, the settings for the next worker, where it resumes, and the
        changes that it begins with. These have negative numbers, and their answers arrive as messages.
    on_ready: called when a worker has opened its station.
    on_message: called with each message that is not an answer to a request. If it raises ServerError or StreamError,
        the worker is replaced.
    on_failure: called with the reason when a worker has ended. If it raises, `RestartingWorker.run` ends.
    on_exit: called when a worker has ended, before `on_failure`, with True if it was replaced on purpose.
    """

    start: Callable[[Mapping[str, str]], tuple[StationSettings, Resume | None, tuple[ChangeControls, ...]]]
    on_ready: Callable[[StartedStation], None]
    on_message: Callable[[Message], None]
    on_failure: Callable[[Exception], None]
    on_exit: Callable[[bool], None]


class RestartingWorker:
    """A worker process that is replaced when it ends.

    Args:
        settings: The station.
        command: The command that runs the worker.
        callbacks: Called from the event loop.
        copies: Copies the station's files, for workers to read.
        ring: Descriptor of the memory for the latest audio.
    """

    def __init__(
        self,
        settings: StationSettings,
        command: Sequence[str],
        callbacks: WorkerCallbacks,
        copies: FileCopies,
        ring: int,
    ) -> None:
        self.restarts = 0
        self._settings = settings
        self._copies = copies
        self._ring = ring
        self._files: StationFiles | None = None
        """The files with which a worker has opened the station. Its successors use them, too."""
        self._name = name = settings.name
        self._command = tuple(command)
        self._callbacks = callbacks
        self._log = logging.getLogger(f"radio.station.{name}")
        self._process: WorkerProcess | None = None
        self._replacing = False
        self._requests: dict[int, asyncio.Future[ControlsLanded | None]] = {}
        self._opened = asyncio.Event()
        self._last_request = 0

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def processor_time(self) -> int | None:
        """Return the processor time that the worker has used, in nanoseconds, or None if it is unknown."""
        return processor_time_of(self.pid)

    @property
    def ready(self) -> bool:
        """True if a worker is running and has opened its station."""
        return self._process is not None and self._process.ready

    @property
    def opening(self) -> bool:
        """True while a worker is opening its station."""
        return self._process is not None and not self._process.ready

    def send(self, message: Message) -> None:
        """Send a message to the worker. Without a worker it is lost."""
        if self._process is not None:
            self._process.send(message)

    def kill(self, reason: str) -> None:
        """Kill the worker; another one replaces it."""
        if self._process is not None:
            self._process.kill(reason)

    async def request(self, message: Callable[[int], Message]) -> ControlsLanded:
        """Send a request and return its answer. If the worker ends first, the request goes to the next one.

        Args:
            message: Makes the message from the request's number.

        Raises:
            ControlError: The worker refused the request.
            ServerError: No worker answered in time; the request has no effect.
        """
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                while not self.ready:  # one that has just opened may end before this task runs
                    await self._opened.wait()
        except TimeoutError as error:
            raise ServerError(f"{self._name} is being restarted; try again in a few seconds") from error
        process = self._process
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                answer = await self._ask(message)
        except TimeoutError as error:
            # The change must not be made later: kill the worker, and with it any change that it has not confirmed.
            if process is not None and process is self._process:
                process.kill("the worker did not answer a request")
            raise ServerError(f"{self._name} did not answer within {REQUEST_TIMEOUT:g} s") from error
        return await self.request(message) if answer is None else answer

    async def _ask(self, message: Callable[[int], Message]) -> ControlsLanded | None:
        """Send a request to the worker; return None if the worker ends before it answers."""
        self._last_request += 1
        number = self._last_request
        answer: asyncio.Future[ControlsLanded | None] = asyncio.get_running_loop().create_future()
        self._requests[number] = answer
        try:
            self.send(message(number))
            return await answer
        finally:
            self._requests.pop(number, None)

    def forget_files(self) -> None:
        """Make the next worker use new copies of the station's files."""
        self._files = None

    def replace(self, settings: StationSettings) -> None:
        """Replace the worker on purpose. The next one starts immediately, with these settings and new file copies."""
        self._settings = settings
        self.forget_files()
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
            except (ServerError, SnapshotError, StreamError, OSError) as error:
                if self._replacing:
                    self._replacing = False
                    continue
                self._callbacks.on_failure(error)
            failures = 1 if time.monotonic() - began > _STABLE else min(failures + 1, len(RESTART_DELAYS))
            await asyncio.sleep(RESTART_DELAYS[failures - 1])
            self.restarts += 1

    async def _run_worker(self) -> None:
        """Run one worker until it ends.

        Always raises ServerError, SnapshotError, StreamError or OSError with the reason.
        """
        files = self._files or await self._copy_files()
        copied, descriptors = self._settings, {*files.descriptors().values(), self._ring}
        async with start_worker(self._command, self._log_line, descriptors) as process:
            self._process = process
            try:
                self._replacing = self._settings is not copied  # they may be replaced while the process starts
                await self._play(process, files)
            finally:
                self._process = None
                self._opened.clear()
                self._callbacks.on_exit(self._replacing)
                self._fail_requests()
        raise ServerError(process.exit_message)

    async def _copy_files(self) -> StationFiles:
        """Return copies of the files that the settings name, even if the settings are replaced in the process."""
        while True:
            settings = self._settings
            files = await asyncio.to_thread(self._copies.of, settings)
            if settings is self._settings:
                return files

    async def _play(self, process: WorkerProcess, files: StationFiles) -> None:
        """Start the station in a new worker, and handle its messages until it ends or must be replaced."""
        if self._replacing:
            return
        settings, resume, changes = self._callbacks.start(files.digests)
        process.send(Start(pickle.dumps(settings), resume, files.descriptors(), self._ring, changes=changes))
        while (messages := await process.receive()) is not None and not self._replacing:
            for message in messages:
                if isinstance(message, StationReady):
                    process.ready = True
                    self._opened.set()
                    self._files = files
                    station = StartedStation(settings, files.digests, message.frame, resume is not None)
                    self._callbacks.on_ready(station)
                else:
                    self._handle(message)
                if isinstance(message, ControlsLanded):
                    # The task that asked must record the change before the steps that may follow in the same batch.
                    await asyncio.sleep(0)

    def _log_line(self, line: str) -> None:
        self._log.warning("station '%s': %s", self._name, line)

    def _handle(self, message: Message) -> None:
        match message:
            case StationFailed(reason, in_snapshot):
                raise SnapshotError(reason) if in_snapshot else OpeningError(reason)
            case ControlsLanded(number) if number > 0:
                if (request := self._requests.get(number)) and not request.done():
                    request.set_result(message)
            case ControlsRefused(number, reason, field, allowed):
                if (request := self._requests.get(number)) and not request.done():
                    request.set_exception(ControlError(reason, field=field, allowed=allowed))
            case _:
                self._callbacks.on_message(message)

    def _fail_requests(self) -> None:
        for request in self._requests.values():
            if not request.done():
                request.set_result(None)
