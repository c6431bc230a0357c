"""A source of an Icecast server: HTTP PUT with an endless body, titles beside it.

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

_TYPES: Final[Mapping[MountFormat, str]] = {"opus": "audio/ogg", "mp3": "audio/mpeg"}
_HEAD_LIMIT: Final = 16_384
_REASONS: Final = {
    401: "it does not take the user and password",
    403: "it does not take this source: the mount is in use, or not allowed",
    404: "it has no such mount",
}


@dataclass(frozen=True, slots=True)
class IcecastMount:
    """What the server tells its listeners of us."""

    format: MountFormat
    name: str
    description: str
    kbit: int


def source_request(target: Target, key: str, mount: IcecastMount) -> bytes:
    """The head of the request that makes us a source."""
    return _request(
        "PUT",
        target.path,
        target,
        key,
        {
            "Content-Type": _TYPES[mount.format],
            "Ice-Name": _one_line(mount.name),
            "Ice-Description": _one_line(mount.description),
            "Ice-Public": "0",
            "Ice-Bitrate": str(mount.kbit),
            "Ice-Audio-Info": f"ice-samplerate=48000;ice-bitrate={mount.kbit};ice-channels=2",
            "Expect": "100-continue",
        },
    )


def title_request(target: Target, key: str, title: str) -> bytes:
    """The request that gives listeners of an MP3 mount a new title."""
    query = urlencode({"mount": target.path, "mode": "updinfo", "charset": "UTF-8", "song": title})
    return _request("GET", f"/admin/metadata?{query}", target, key, {"Connection": "close"})


def refusal(head: bytes) -> str | None:
    """Why the server's answer to either is a refusal, or None where it is none.

    Raises:
        StreamError: It is no answer in HTTP.
    """
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if len(words) < 2 or not words[0].startswith(("HTTP/", "ICY")) or not words[1].isdecimal():
        raise StreamError("the server does not speak Icecast's protocol on this port")
    status = int(words[1])
    if status in {100, 200}:
        return None
    return f"the server refuses: {_REASONS.get(status) or ' '.join(words[1:])} ({status})"


class IcecastConnection:
    """One accepted source. `IcecastConnection.open` makes it."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._gone = asyncio.create_task(self._end())
        self.arrived = connection.arrived

    @classmethod
    async def open(cls, target: Target, key: str, mount: IcecastMount) -> IcecastConnection:
        """Connect, and return when the server takes us.

        Raises:
            StreamError: It cannot be reached, refuses, or does not answer.
        """
        return cls(await _requested(target, source_request(target, key, mount)))

    async def send(self, data: bytes) -> None:
        """Send the next bytes of the stream.

        Raises:
            StreamError: The server closed the connection.
        """
        if self._gone.done():
            raise StreamError("the server closed the connection")
        await self._connection.send(data)

    async def close(self) -> None:
        """End the source."""
        self._gone.cancel()
        await self._connection.close()

    async def _end(self) -> None:
        """Return when the server hangs up; whatever it says before is of no use to us."""
        try:
            while await self._connection.reader.read(_HEAD_LIMIT):
                pass
        except OSError:
            return


async def update_title(target: Target, key: str, title: str) -> None:
    """Give the listeners a new title.

    Raises:
        StreamError: The server does not take it.
    """
    connection = await _requested(target, title_request(target, key, title))
    connection.abort()


async def _requested(target: Target, request: bytes) -> ServerConnection:
    """The connection on which the server said yes to a request."""
    async with connected(target) as connection:
        await connection.send(request)
        try:
            head = await connection.reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise StreamError("the server hung up without an answer") from error
        if reason := refusal(head):
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
    """One line of text, which a header's value is."""
    return " ".join(text.split())
