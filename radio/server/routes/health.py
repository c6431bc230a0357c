"""`/healthz`: this process answers. `/readyz`: every station is on the air."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from aiohttp import web

from radio.server.broadcast.channels import CHANNELS
from radio.server.http.operation import operation
from radio.types import JsonValue, Seconds

_BEAT: Seconds = 0.5
_BEATS = 60
"""Half a minute."""


class LoopLagMonitor:
    """How late the event loop comes to what is due."""

    def __init__(self) -> None:
        self._late: deque[Seconds] = deque(maxlen=_BEATS)

    @property
    def lag(self) -> Seconds:
        """The worst of the last half minute."""
        return max(self._late, default=0.0)

    async def run(self) -> None:
        """Measure for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _BEAT
            await asyncio.sleep(_BEAT)
            self._late.append(max(0.0, loop.time() - due))


LOOP_LAG: web.AppKey[LoopLagMonitor] = web.AppKey("loop_lag", LoopLagMonitor)


def attach(app: web.Application) -> None:
    """Have the application's monitor taken while it runs."""
    monitor = app[LOOP_LAG] = LoopLagMonitor()

    async def taken(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(monitor.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    app.cleanup_ctx.append(taken)


def routes() -> list[web.RouteDef]:
    """The addresses that a supervisor asks."""
    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


@operation("Whether the process answers", tag="health", answer="Health")
async def healthz(request: web.Request) -> web.Response:
    """The event loop turns; `lag` is its longest delay of the last half minute, in seconds."""
    return web.json_response({"ok": True, "lag": round(request.app[LOOP_LAG].lag, 3)})


@operation(
    "Whether all stations are on the air",
    tag="health",
    answer="Health",
    problems={503: "One of them is not, or has used its reserve up; `stations` says which."},
)
async def readyz(request: web.Request) -> web.Response:
    """Answer 200 when every station is on the air and its reserve is not used up, 503 otherwise."""
    stations: dict[str, JsonValue] = {
        name: channel.edge.on_air and channel.edge.reserve > 0 for name, channel in request.app[CHANNELS].items()
    }
    silent = [name for name, ready in stations.items() if not ready]
    if not silent:
        return web.json_response({"ok": True, "stations": stations})
    error: JsonValue = {"code": "not_ready", "message": f"not on the air: {', '.join(silent)}"}
    return web.json_response({"ok": False, "stations": stations, "error": error}, status=503)
