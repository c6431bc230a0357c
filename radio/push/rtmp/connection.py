"""A live stream on an RTMP server, from the handshake on."""

from __future__ import annotations

import asyncio
import os

from radio.errors import StreamError
from radio.push.connection import ServerConnection, connected
from radio.push.rtmp.flv import Tag
from radio.push.rtmp.protocol import Publisher, PublishState
from radio.settings.push_target import Target

_READ_SIZE = 65_536


class RtmpConnection:
    """One accepted stream. `RtmpConnection.open` makes it."""

    def __init__(self, connection: ServerConnection, publisher: Publisher) -> None:
        self._connection = connection
        self._publisher = publisher
        self._listening = asyncio.create_task(self._listen())
        self._began: int | None = None
        self.arrived = connection.arrived

    @classmethod
    async def open(cls, target: Target, key: str) -> RtmpConnection:
        """Connect, and return when the server takes the stream.

        Raises:
            StreamError: It cannot be reached, refuses, or does not answer.
        """
        async with connected(target) as connection:
            address = f"{target.scheme}://{target.netloc}/{target.path}"
            publisher = Publisher(app=target.path, address=address, key=key, noise=os.urandom(1_528))
            await connection.send(publisher.begin())
            while publisher.step is not PublishState.LIVE:
                await _exchange(connection, publisher)
        return cls(connection, publisher)

    async def send(self, tag: Tag) -> None:
        """Send what the encoder made; the first tag with a time of its own is the stream's beginning.

        Raises:
            StreamError: The server closed the connection, or ended the stream.
        """
        if self._listening.done():
            self._listening.result()
        if self._began is None and not tag.is_header:
            self._began = tag.time
        time = max(0, tag.time - (self._began or 0)) if self._began is not None else 0
        await self._connection.send(self._publisher.send(tag.kind, time, tag.body))

    async def close(self) -> None:
        """Tell the server that the stream is over, so that the next one may have its name."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self._connection.close(self._publisher.end())

    async def _listen(self) -> None:
        while True:
            await _exchange(self._connection, self._publisher)


async def _exchange(connection: ServerConnection, publisher: Publisher) -> None:
    """Take what the server says next, and answer it."""
    step = publisher.step
    try:
        data = await connection.reader.read(_READ_SIZE)
    except OSError as error:
        raise StreamError(_ended(step)) from error
    if not data:
        raise StreamError(_ended(step))
    if answer := publisher.receive(data):
        await connection.send(answer)


def _ended(step: PublishState) -> str:
    """Servers that refuse often say nothing and hang up; when they do tells what they did not like."""
    if step is PublishState.LIVE:
        return "the server closed the connection"
    if step is PublishState.ASKING:
        return "the server hung up when it was given the stream key: is the key right, and not in use elsewhere?"
    if step is PublishState.GREETING:
        return "the server hung up at once: does it speak RTMP on this port?"
    return "the server hung up when it was told the application: is the address right?"
