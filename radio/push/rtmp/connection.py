"""A live stream on an RTMP server, from the handshake to the end."""

from __future__ import annotations

import asyncio
import os

from radio.errors import StreamError
from radio.push.connection import ServerConnection, connected
from radio.push.rtmp import adobe_auth
from radio.push.rtmp.adobe_auth import LoginNeededError
from radio.push.rtmp.flv import Tag
from radio.push.rtmp.protocol import Publisher, PublishState
from radio.settings.push_target import Secrets, Target

_READ_SIZE = 65_536


class RtmpConnection:
    """A stream that the server has accepted. Created by `RtmpConnection.open`."""

    def __init__(self, connection: ServerConnection, publisher: Publisher) -> None:
        self._connection = connection
        self._publisher = publisher
        self._receiving = asyncio.create_task(self._receive())
        self._start_time: int | None = None
        self.acknowledged = connection.acknowledged

    @classmethod
    async def open(cls, target: Target, secrets: Secrets) -> RtmpConnection:
        """Connect, log in if the server requires it, and return when the server has accepted the stream.

        Raises:
            StreamError: The server cannot be reached, rejects the stream, or does not answer.
        """
        query, challenge = "", os.urandom(4).hex()
        for _ in range(adobe_auth.ATTEMPTS):
            try:
                return cls(*await _published(target, secrets.key, query))
            except LoginNeededError as error:
                query = adobe_auth.query(str(error), target.user, secrets.password, challenge)
        raise StreamError("the server does not accept the login")

    async def send(self, tag: Tag) -> None:
        """Send a tag. Timestamps count from the first tag that is not a header.

        Raises:
            StreamError: The server closed the connection or ended the stream.
        """
        if self._receiving.done():
            self._receiving.result()
        if self._start_time is None and not tag.is_header:
            self._start_time = tag.time
        time = max(0, tag.time - self._start_time) if self._start_time is not None else 0
        await self._connection.send(self._publisher.send(tag.kind, time, tag.body))

    async def close(self) -> None:
        """End the stream, so that the server frees its name for the next one, and disconnect."""
        self._receiving.cancel()
        await asyncio.gather(self._receiving, return_exceptions=True)
        await self._connection.close(self._publisher.end())

    async def _receive(self) -> None:
        while True:
            await _receive_once(self._connection, self._publisher)


async def _published(target: Target, key: str, query: str) -> tuple[ServerConnection, Publisher]:
    """Connect with a query after the application's name, and return when the server has accepted the stream."""
    async with connected(target) as connection:
        address = f"{target.scheme}://{target.netloc}/{target.path}"
        publisher = Publisher(app=target.path + query, address=address + query, key=key, noise=os.urandom(1_528))
        await connection.send(publisher.begin())
        while publisher.state is not PublishState.LIVE:
            await _receive_once(connection, publisher)
    return connection, publisher


async def _receive_once(connection: ServerConnection, publisher: Publisher) -> None:
    """Receive the next data from the server, and send the answer."""
    state = publisher.state
    try:
        data = await connection.reader.read(_READ_SIZE)
    except OSError as error:
        raise StreamError(_closed_reason(state)) from error
    if not data:
        raise StreamError(_closed_reason(state))
    if answer := publisher.receive(data):
        await connection.send(answer)


def _closed_reason(state: PublishState) -> str:
    """Return the likely reason for a closed connection, as many servers reject a client without a message."""
    if state is PublishState.LIVE:
        return "the server closed the connection"
    if state is PublishState.PUBLISHING:
        return "the server closed the connection after the stream key: is the key right, and not in use elsewhere?"
    if state is PublishState.HANDSHAKE:
        return "the server closed the connection immediately: does it speak RTMP on this port?"
    return "the server closed the connection after the application name: is the address right?"
