"""An Icecast source client: an HTTP PUT request with an endless body, and a request for each new title.

Source: Icecast 2.4's documentation, "Introduction to the protocol" (icecast.org/docs/icecast-trunk/protocol).
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from radio import __version__
from radio.errors import StreamError
from radio.push.connection import ServerConnection, connected
from radio.settings.push import MountFormat
from radio.settings.push_target import Target

_CONTENT_TYPES: Final[Mapping[MountFormat, str]] = {"opus": "audio/ogg", "mp3": "audio/mpeg"}
_READ_SIZE: Final = 16_384
_REASONS: Final = {
    401: "wrong user or password",
    403: "the mount is in use, or not allowed",
    404: "no such mount",
}


@dataclass(frozen=True, slots=True)
class IcecastMount:
    """The format and the description of a mount, as the server shows them to listeners."""

    format: MountFormat
    name: str
    description: str
    kbit: int
    """Bit rate in kbit/s."""


def source_request(target: Target, key: str, mount: IcecastMount) -> bytes:
    """Return the head of the request that starts a source."""
    return _request(
        "PUT",
        target.path,
        target,
        key,
        {
            "Content-Type": _CONTENT_TYPES[mount.format],
            "Ice-Name": _one_line(mount.name),
            "Ice-Description": _one_line(mount.description),
            "Ice-Public": "0",
            "Ice-Bitrate": str(mount.kbit),
            "Ice-Audio-Info": f"ice-samplerate=48000;ice-bitrate={mount.kbit};ice-channels=2",
            "Expect": "100-continue",
        },
    )


def title_request(target: Target, key: str, title: str) -> bytes:
    """Return the request that sets the title of an MP3 mount."""
    query = urlencode({"mount": target.path, "mode": "updinfo", "charset": "UTF-8", "song": title})
    return _request("GET", f"/admin/metadata?{query}", target, key, {"Connection": "close"})


def rejection(head: bytes) -> str | None:
    """Return the reason why the server rejects a request, or None if it accepts the request.

    Args:
        head: The head of the server's response.

    Raises:
        StreamError: The response is not HTTP.
    """
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if len(words) < 2 or not words[0].startswith(("HTTP/", "ICY")) or not words[1].isdecimal():
        raise StreamError("the server does not speak the Icecast protocol on this port")
    status = int(words[1])
    if status in {100, 200}:
        return None
    return f"the server rejects the request: {_REASONS.get(status) or ' '.join(words[1:])} ({status})"


class IcecastConnection:
    """A source that the server has accepted. Created by `IcecastConnection.open`."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._closed_by_server = asyncio.create_task(self._read_until_closed())
        self.acknowledged = connection.acknowledged

    @classmethod
    async def open(cls, target: Target, key: str, mount: IcecastMount) -> IcecastConnection:
        """Connect, and return when the server has accepted the source.

        Raises:
            StreamError: The server cannot be reached, rejects the source, or does not answer.
        """
        return cls(await _accepted(target, source_request(target, key, mount)))

    async def send(self, data: bytes) -> None:
        """Send the next bytes of the stream.

        Raises:
            StreamError: The server closed the connection.
        """
        if self._closed_by_server.done():
            raise StreamError("the server closed the connection")
        await self._connection.send(data)

    async def close(self) -> None:
        """End the source."""
        self._closed_by_server.cancel()
        await self._connection.close()

    async def _read_until_closed(self) -> None:
        """Discard received data, and return when the server closes the connection."""
        try:
            while await self._connection.reader.read(_READ_SIZE):
                pass
        except OSError:
            return


async def update_title(target: Target, key: str, title: str) -> None:
    """Set the title that listeners of a mount see.

    Raises:
        StreamError: The server rejects the request.
    """
    connection = await _accepted(target, title_request(target, key, title))
    connection.abort()


async def _accepted(target: Target, request: bytes) -> ServerConnection:
    """Send a request, and return the connection once the server has accepted it."""
    async with connected(target) as connection:
        await connection.send(request)
        try:
            head = await connection.reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise StreamError("the server closed the connection without an answer") from error
        if reason := rejection(head):
            raise StreamError(reason)
    return connection


def _request(method: str, path: str, target: Target, key: str, headers: dict[str, str]) -> bytes:
    login = b64encode(f"{target.user}:{key}".encode()).decode()
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {target.netloc}",
        f"Authorization: Basic {login}",
        f"User-Agent: radio/{__version__}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join((*lines, "", "")).encode()


def _one_line(text: str) -> str:
    """Join the lines of `text`, because a header value must be one line."""
    return " ".join(text.split())
