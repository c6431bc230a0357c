"""The front's end of a worker: its process, and the socket over which both talk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence

from radio.errors import ServerError
from radio.types import Seconds
from radio.worker.wire import Message, MessageDecoder, encode

WORKER_COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "radio.worker.main")
"""The command that becomes a worker when the number of its socket is added.

-P: the working directory is the user's, and a mido.py that lies there is not ours to import.
"""

OPENING: Seconds = 120.0
"""A worker that has not opened its station by then is replaced: reading models from a cold disk may take a while."""

SILENCE: Seconds = 10.0
"""A worker that owes audio and says nothing for this long is replaced."""

_AGAIN: Seconds = 1.0
_ENDING: Seconds = 2.0
_READ_SIZE = 65_536
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class WorkerProcess:
    """A running worker; made by `started`."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.ready = False
        """Whether its station is open: from then on it is replaced for a short silence."""
        self._process = process
        self._reader = reader
        self._writer = writer
        self._decoder = MessageDecoder()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Message) -> None:
        """Send a message; one to a worker that is gone is lost."""
        self._writer.write(encode(message))

    @property
    def exit_message(self) -> str:
        """How it ended."""
        code = self._process.returncode or 0
        return f"the worker ended{f' by signal {-code}' if code < 0 else ''}"

    async def receive(self) -> list[Message] | None:
        """What it says next; none when it is gone.

        Raises:
            ServerError: It says nothing for too long.
            StreamError: What it says is no message.
        """
        try:
            data = await self._read()
        except ConnectionError:
            return None
        return self._decoder.feed(data) if data else None

    async def _read(self) -> bytes:
        patience = SILENCE if self.ready else OPENING
        # A front that was stopped or starved itself finds its time over and the worker's words waiting: it looks again.
        for seconds in (patience, _AGAIN):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    return await self._reader.read(_READ_SIZE)
        raise ServerError(f"the worker said nothing for {patience:g} s")

    async def end(self) -> None:
        """Close the socket and wait; a worker that does not notice, or for which there is no time, is killed."""
        self._writer.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDING):
                    await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    async def forward_stderr(self, on_stderr_line: Callable[[str], object]) -> None:
        """Pass on each line that it writes to its standard error."""
        stderr = self._process.stderr
        while stderr is not None and (data := await stderr.read(_READ_SIZE)):
            for line in data.decode(errors="replace").splitlines():
                on_stderr_line(line)


@contextlib.asynccontextmanager
async def start_worker(command: Sequence[str], on_stderr_line: Callable[[str], object]) -> AsyncIterator[WorkerProcess]:
    """Start a worker; it has ended when the context has.

    Args:
        command: What becomes a worker when the number of its socket is added.
        on_stderr_line: Gets each line that it writes to its standard error.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env=_ONE_THREAD | os.environ,
            )
        except BaseException:
            writer.close()
            raise
    worker = WorkerProcess(process, reader, writer)
    said = asyncio.create_task(worker.forward_stderr(on_stderr_line))
    try:
        yield worker
    finally:
        await worker.end()
        await said
