"""The encoder process as seen by its parent: samples and titles in, FLV tags out."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Final

from radio.errors import StreamError
from radio.push.rtmp.flv import Tag, TagReader
from radio.push.video.messages import SAMPLES, TITLE, EncoderSettings, message
from radio.types import Seconds
from radio.worker.environment import child_environment

_COMMAND: Final = (sys.executable, "-P", "-m", "radio.push.video.encoder")
"""-P keeps the working directory off the import path, so that the user's files there cannot replace our modules."""

_EXIT_TIMEOUT: Final[Seconds] = 0.5
_READ_SIZE = 65_536
_STDERR_BYTES = 2_000
"""Number of bytes of error output to keep."""


class EncoderProcess:
    """A running encoder. Created by `EncoderProcess.started`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise StreamError("the encoder was started without its pipes")
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout
        self._stderr = asyncio.create_task(_read_tail(process.stderr))

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, settings: EncoderSettings) -> AsyncIterator[EncoderProcess]:
        """Start an encoder, and end its process when the block exits."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, env=child_environment()
        )
        encoder = cls(process)
        try:
            encoder._stdin.write(settings.as_line())
            yield encoder
        finally:
            await encoder._end()

    async def add_samples(self, data: bytes) -> None:
        """Send samples; wait while the encoder is busy."""
        await self._write(message(SAMPLES, data))

    async def set_title(self, text: str) -> None:
        """Set the title to show, starting with the next sample."""
        await self._write(message(TITLE, text.encode()))

    async def tags(self) -> AsyncIterator[Tag]:
        """Yield the encoded tags.

        Raises:
            StreamError: The encoder ended, or its output is not FLV.
        """
        reader = TagReader()
        while data := await self._stdout.read(_READ_SIZE):
            for tag in reader.feed(data):
                yield tag
        raise StreamError(await self._end_reason())

    async def _write(self, data: bytes) -> None:
        try:
            self._stdin.write(data)
            await self._stdin.drain()
        except OSError as error:
            raise StreamError(await self._end_reason()) from error

    async def _end_reason(self) -> str:
        lines = (await self._stderr).decode(errors="replace").strip().splitlines()
        return f"the encoder ended: {lines[-1]}" if lines else "the encoder ended"

    async def _end(self) -> None:
        self._stdin.close()
        try:
            async with asyncio.timeout(_EXIT_TIMEOUT):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()  # safe: it has no files and no state
            await self._process.wait()
        self._stderr.cancel()
        await asyncio.gather(self._stderr, return_exceptions=True)


async def _read_tail(stream: asyncio.StreamReader) -> bytes:
    """Read a stream to its end, and return the last `_STDERR_BYTES` bytes."""
    tail = b""
    while data := await stream.read(_READ_SIZE):
        tail = (tail + data)[-_STDERR_BYTES:]
    return tail
