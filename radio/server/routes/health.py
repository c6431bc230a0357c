"""Routes for supervisors: `/healthz` (the process answers) and `/readyz` (every station is on the air)."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from aiohttp import web

from radio.server.api.health import Liveness, Readiness
from radio.server.api.problem import Fault
from radio.server.broadcast.channels import CHANNELS
from radio.server.http.operation import operation
from radio.server.http.responses import json_response
from radio.types import Seconds

_INTERVAL: Seconds = 0.5
_MEASUREMENTS = 60
"""The number of measurements in half a minute."""


class LoopLagMonitor:
    """Measures the delays of the event loop."""

    def __init__(self) -> None:
        self._delays: deque[Seconds] = deque(maxlen=_MEASUREMENTS)

    @property
    def lag(self) -> Seconds:
        """The longest delay in the last half minute."""
        return max(self._delays, default=0.0)

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _INTERVAL
            await asyncio.sleep(_INTERVAL)
            self._delays.append(max(0.0, loop.time() - due))


LOOP_LAG: web.AppKey[LoopLagMonitor] = web.AppKey("loop_lag", LoopLagMonitor)


def attach(app: web.Application) -> None:
    """Measure the event loop's delays while the application runs."""
    monitor = app[LOOP_LAG] = LoopLagMonitor()

    async def run(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(monitor.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    app.cleanup_ctx.append(run)


def routes() -> list[web.RouteDef]:
    """Return the routes for supervisors."""
    return [web.get("/healthz", get_health), web.get("/readyz", get_readiness)]


@operation("Check that the process answers", tag="health", answer=Liveness)
async def get_health(request: web.Request) -> web.Response:
    """Report the event loop's lag.

    A supervisor may restart a process that does not answer.
    """
    return json_response(Liveness(ok=True, lag=round(request.app[LOOP_LAG].lag, 3)))


@operation(
    "Check that all stations are on the air",
    tag="health",
    answer=Readiness,
    problems={503: "A station is not on the air; `stations` says which."},
    problem_answers={503: Readiness},
)
async def get_readiness(request: web.Request) -> web.Response:
    """Report for each station whether it is on the air.

    A station that was off the air counts as ready once it has been on for five seconds.
    """
    stations = {name: channel.edge.ready for name, channel in request.app[CHANNELS].items()}
    silent = [name for name, ready in stations.items() if not ready]
    if not silent:
        return json_response(Readiness(ok=True, stations=stations))
    fault = Fault("not_ready", f"not on the air: {', '.join(silent)}")
    return json_response(Readiness(ok=False, stations=stations, error=fault), status=503)
