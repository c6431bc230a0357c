"""The server's side of a worker: its process and the socket to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from radio.errors import ServerError
from radio.types import Seconds
from radio.worker.environment import child_environment
from radio.worker.wire import Message, MessageDecoder, encode

WORKER_COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "radio.worker.main")
"""The command of a worker, without its argument (the number of its socket).

-P keeps the working directory off the import path: a file there, such as mido.py, must not be imported.
"""

OPENING_LIMIT: Seconds = 120.0
"""A worker that has not opened its station within this time is replaced; reading models from disk may be slow."""

_SECOND_CHANCE: Seconds = 1.0
_EXIT_LIMIT: Seconds = 2.0
_STDERR_LIMIT: Seconds = 1.0
_READ_SIZE = 65_536


class WorkerProcess:
    """A running worker, created by `start_worker`."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.ready = False
        """True once the station is open, which must happen within `OPENING_LIMIT`."""
        self._process = process
        self._reader = reader
        self._writer = writer
        self._decoder = MessageDecoder()
        self._killed_because = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Message) -> None:
        """Send a message. It is lost if the worker has ended."""
        self._writer.write(encode(message))

    @property
    def exit_message(self) -> str:
        """The reason why the worker ended, as text."""
        if self._killed_because:
            return f"{self._killed_because}, and was replaced"
        code = self._process.returncode or 0
        return f"the worker ended{f' by signal {-code}' if code < 0 else ''}"

    async def receive(self) -> list[Message] | None:
        """Return the next messages, or None if the worker has ended.

        Raises:
            ServerError: the worker did not open its station in time.
            StreamError: the worker sent an invalid message.
        """
        try:
            data = await self._read()
        except ConnectionError:
            return None
        return self._decoder.feed(data) if data else None

    async def _read(self) -> bytes:
        if self.ready:
            return await self._reader.read(_READ_SIZE)
        # If this process itself was suspended, the limit has passed although data is waiting, so try once more.
        for seconds in (OPENING_LIMIT, _SECOND_CHANCE):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    return await self._reader.read(_READ_SIZE)
        raise ServerError(f"the worker did not open its station within {OPENING_LIMIT:g} s")

    def kill(self, reason: str) -> None:
        """Kill the worker; `exit_message` then gives the reason."""
        self._killed_because = reason
        if self._process.returncode is None:
            self._process.kill()

    def close(self) -> None:
        """Close the socket, which makes the worker end."""
        self._writer.close()

    async def end(self) -> None:
        """Close the socket and wait for the worker to exit; kill it if it does not, or if the wait is cancelled."""
        self.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EXIT_LIMIT):
                    await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    async def forward_stderr(self, on_stderr_line: Callable[[str], object]) -> None:
        """Call `on_stderr_line` with each line that the worker writes to standard error."""
        stderr, rest = self._process.stderr, b""
        while stderr is not None and (data := await stderr.read(_READ_SIZE)):
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > _READ_SIZE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                on_stderr_line(line.decode(errors="replace"))
        if rest:
            on_stderr_line(rest.decode(errors="replace"))

    def close_stderr(self) -> None:
        """Close our end of the standard error pipe of a worker that has ended."""
        self._process._transport.close()  # type: ignore[attr-defined]  # asyncio has no other way


@contextlib.asynccontextmanager
async def start_worker(
    command: Sequence[str], on_stderr_line: Callable[[str], object], descriptors: Collection[int] = ()
) -> AsyncIterator[WorkerProcess]:
    """Start a worker, and end it when the context exits.

    Args:
        command: the command of the worker, without its argument (the number of its socket).
        on_stderr_line: called with each line that the worker writes to standard error.
        descriptors: file descriptors that the worker inherits.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(theirs.fileno()),
                pass_fds=[theirs.fileno(), *descriptors],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env=child_environment(),
            )
        except BaseException:
            writer.close()
            raise
    worker = WorkerProcess(process, reader, writer)
    stderr_task = asyncio.create_task(worker.forward_stderr(on_stderr_line))
    try:
        yield worker
    finally:
        await worker.end()
        try:
            await asyncio.wait_for(stderr_task, _STDERR_LIMIT)
        except TimeoutError:  # a process started by the worker keeps the pipe open
            worker.close_stderr()
