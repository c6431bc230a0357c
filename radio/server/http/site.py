"""A listening socket that closes connections which never send a request.

aiohttp gives a connection `keepalive_timeout` seconds to complete a request's head, counted from the moment it was made
or last answered, whatever trickles in meanwhile: that, made short, ends a slow loris. Here is what it has not: a bound
on connections without a request, and an answer to what is no HTTP in our own form and without a stack trace in the log.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from radio.server.http.problems import ProblemError, answer
from radio.types import Seconds

PATIENCE: Final[Seconds] = 20.0
"""How long a connection may take to ask for something."""

IDLE: Final = 4_096
"""Connections that may be open without a request, where the system gives us four times as many files.

Beyond it, the one that has been idle for longest is closed. Players of HLS keep theirs between two segments.
"""

_BACKLOG: Final = 1_024
_LINGER: Final[Seconds] = 5.0
"""How long the rest of a refused body is read, so that the answer is not lost in a reset."""


class RequestHandler(web.RequestHandler):
    """One connection; it stands in `idle` while nothing is asked."""

    __slots__ = ("_idle",)

    def __init__(self, server: web.Server, idle: dict[RequestHandler, None]) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own word for none
            keepalive_timeout=PATIENCE,
            lingering_time=_LINGER,
            auto_decompress=False,  # nobody packs a few controls, and a small body may unpack to a large one
        )
        self._idle = idle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.mark_idle()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.mark_busy()
        super().connection_lost(exc)

    def mark_busy(self) -> None:
        """A request is being answered, or the connection is gone."""
        self._idle.pop(self, None)

    def mark_idle(self) -> None:
        """Nothing is asked."""
        if self.transport is not None:
            self._idle[self] = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read as a request; a fault of ours is left to aiohttp, which logs it."""
        if isinstance(exc, ConnectionError):
            raise exc  # whoever asked is gone
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        said = (message or "this cannot be read").strip().partition("\n")[0].rstrip(":. ")
        response = answer(ProblemError(status, "bad_request", f"this is no request in HTTP/1.1: {said}"))
        response.force_close()
        return response


class Site(web.BaseSite):
    """A listening socket of a runner's application.

    Args:
        runner: Set up already.
        host: Address or name to listen on.
        port: 0 takes a free one.
    """

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        super().__init__(runner, backlog=_BACKLOG)
        self._host = host
        self._port = port
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most_idle = min(IDLE, files // 4)
        self._idle: dict[RequestHandler, None] = {}

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Begin to listen; raises OSError where the address cannot be had."""
        await super().start()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, self._host, self._port, backlog=_BACKLOG)

    def _accept(self) -> RequestHandler:
        if self._runner.server is None:
            raise RuntimeError("the runner has been cleaned up")
        if len(self._idle) >= self._most_idle:
            next(iter(self._idle)).force_close()
        return RequestHandler(self._runner.server, self._idle)


@web.middleware
async def mark_busy(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Keep the site from closing a connection whose request is being answered."""
    connection = request.protocol
    if not isinstance(connection, RequestHandler):
        return await handler(request)
    connection.mark_busy()
    try:
        return await handler(request)
    finally:
        connection.mark_idle()
