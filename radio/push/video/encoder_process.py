"""The encoder's process as its parent sees it: sound and titles go in, tags come out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from typing import Final

from radio.errors import StreamError
from radio.push.rtmp.flv import Tag, Tags
from radio.push.video.messages import SOUND, TITLE, EncoderSettings, message
from radio.types import Seconds

_COMMAND: Final = (sys.executable, "-P", "-m", "radio.push.video.encoder")
"""-P: the working directory is the user's, and a json.py that lies there is not ours to import."""

_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_FAREWELL: Final[Seconds] = 0.5
_READ_SIZE = 65_536
_COMPLAINT = 2_000
"""Bytes of what a dying encoder says that are kept."""


class EncoderProcess:
    """One encoder at work. Use `EncoderProcess.started`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise StreamError("the encoder was started without its pipes")
        self._process = process
        self._input, self._output = process.stdin, process.stdout
        self._said = asyncio.create_task(_tail(process.stderr))

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, settings: EncoderSettings) -> AsyncIterator[EncoderProcess]:
        """An encoder in a process of its own, which is gone when the block is left."""
        pipe = asyncio.subprocess.PIPE
        environment = _ONE_THREAD | _without_keys()
        process = await asyncio.create_subprocess_exec(*_COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        encoder = cls(process)
        try:
            encoder._input.write(settings.line())
            yield encoder
        finally:
            await encoder._end()

    async def add_samples(self, data: bytes) -> None:
        """Give it samples; waits while it has enough to do."""
        await self._tell(message(SOUND, data))

    async def set_title(self, text: str) -> None:
        """Have it show a title."""
        await self._tell(message(TITLE, text.encode()))

    async def tags(self) -> AsyncIterator[Tag]:
        """What it makes.

        Raises:
            StreamError: It ended, and why, or wrote something else.
        """
        tags = Tags()
        while data := await self._output.read(_READ_SIZE):
            for tag in tags.feed(data):
                yield tag
        raise StreamError(await self._reason())

    async def _tell(self, data: bytes) -> None:
        try:
            self._input.write(data)
            await self._input.drain()
        except OSError as error:
            raise StreamError(await self._reason()) from error

    async def _reason(self) -> str:
        said = (await self._said).decode(errors="replace").strip().splitlines()
        return f"the encoder ended: {said[-1]}" if said else "the encoder ended"

    async def _end(self) -> None:
        self._input.close()
        try:
            async with asyncio.timeout(_FAREWELL):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()  # it holds nothing that anybody misses
            await self._process.wait()
        self._said.cancel()
        await asyncio.gather(self._said, return_exceptions=True)


def _without_keys() -> dict[str, str]:
    """Our environment without what may hold the keys of pushes: it needs none of them."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ}


async def _tail(stream: asyncio.StreamReader) -> bytes:
    said = b""
    while data := await stream.read(_READ_SIZE):
        said = (said + data)[-_COMPLAINT:]
    return said
