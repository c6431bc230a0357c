"""A listening socket that closes connections that never send a request.

A connection waits `IDLE_TIMEOUT` seconds for its next request. The head of a request must arrive within
`REQUEST_TIMEOUT` seconds of its first byte, or of the connection's start, which stops slow-loris attacks. This module
also limits idle connections, and answers bytes that are not HTTP with the radio's own error responses, without a stack
trace in the log.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from aiohttp import web

from radio.server.http.listening import BACKLOG
from radio.server.http.problems import ProblemError, error_response
from radio.types import Seconds

REQUEST_TIMEOUT: Final[Seconds] = 20.0
"""Longest time that a connection may take to send the head of a request."""

IDLE_TIMEOUT: Final[Seconds] = 75.0
"""Time for which a connection waits for its next request: longer than the 60 s for which proxies keep one open.

A proxy that sends a request just as the radio closes the connection answers its client with an error.
"""

MAX_IDLE: Final = 4_096
"""Connections that may be open without a request, if the process may open four times as many files.

Beyond the limit, the connection that has been idle longest is closed. HLS players keep a connection between segments.
"""

RESERVED_DESCRIPTORS: Final = 128
"""File descriptors that connections leave free, for the work that keeps stations on the air.

The system gives a new connection the lowest free descriptor, so its number shows how many are in use.
"""

WRITE_TIMEOUT: Final[Seconds] = 60.0
"""Time after which the system resets a connection whose client reads nothing (tcp(7)).

A response that waits for its client holds memory, or the disk space of a deleted file. Streams have a shorter limit.
"""

_LINGER: Final[Seconds] = 5.0
"""Time for which the rest of a refused body is read, so that a reset does not discard the response."""


class RequestHandler(web.RequestHandler):
    """The handler of one connection, which is in `idle` while it has no request."""

    __slots__ = ("_head_timer", "_idle", "_last_descriptor", "_max_idle")

    def __init__(
        self, server: web.Server, idle: dict[RequestHandler, None], max_idle: int, last_descriptor: int
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # aiohttp accepts None
            keepalive_timeout=IDLE_TIMEOUT,
            lingering_time=_LINGER,
            auto_decompress=False,  # a small body may decompress to a large one
        )
        self._idle = idle
        self._max_idle = max_idle
        self._last_descriptor = last_descriptor
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        connection: socket.socket = transport.get_extra_info("socket")
        if connection.fileno() > self._last_descriptor:
            self.force_close()
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(WRITE_TIMEOUT * 1_000))
        self.mark_idle()
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self in self._idle:
            self._expect_head()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.mark_busy()
        super().connection_lost(exc)

    def mark_busy(self) -> None:
        """Remove the connection from `idle`: it has a request, or is closed."""
        self._idle.pop(self, None)
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def mark_idle(self) -> None:
        """Add the connection to `idle`, and close those that have been idle longest if there are too many."""
        if self.transport is None:
            return
        self._idle[self] = None
        while len(self._idle) > self._max_idle:
            oldest = next(iter(self._idle))
            oldest.mark_busy()
            oldest.force_close()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the response. The connection is idle again after its last byte, which may be minutes later."""
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self.mark_idle()

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = asyncio.get_running_loop().call_later(REQUEST_TIMEOUT, self.force_close)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer bytes that are not a request; aiohttp answers and logs server errors."""
        if isinstance(exc, ConnectionError):
            raise exc  # the client has disconnected
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        reason = (message or "the request cannot be read").strip().partition("\n")[0].rstrip(":. ")
        response = error_response(ProblemError(status, "bad_request", f"not an HTTP/1.1 request: {reason}"))
        response.force_close()
        return response


class Site(web.BaseSite):
    """A listening socket of an application.

    Args:
        runner: Must be set up.
        listener: A bound socket.
        idle: The idle connections, which all sockets of the application share.
    """

    def __init__(self, runner: web.AppRunner, listener: socket.socket, idle: dict[RequestHandler, None]) -> None:
        super().__init__(runner, backlog=BACKLOG)
        self._listener = listener
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._max_idle = min(MAX_IDLE, files // 4)
        self._last_descriptor = files - min(RESERVED_DESCRIPTORS, files // 2)
        self._idle = idle

    @property
    def name(self) -> str:
        host, port, *_ = self._listener.getsockname()
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Start listening."""
        await super().start()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, sock=self._listener, backlog=BACKLOG)

    def _accept(self) -> RequestHandler:
        if self._runner.server is None:
            raise RuntimeError("the runner has been cleaned up")
        return RequestHandler(self._runner.server, self._idle, self._max_idle, self._last_descriptor)


async def start_sites(runner: web.AppRunner, listeners: Iterable[socket.socket]) -> None:
    """Serve an application on bound sockets."""
    idle: dict[RequestHandler, None] = {}
    for listener in listeners:
        await Site(runner, listener, idle).start()


@web.middleware
async def track_idle(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Keep the site from closing a connection whose request is being answered."""
    if isinstance(request.protocol, RequestHandler):
        request.protocol.mark_busy()
    return await handler(request)
