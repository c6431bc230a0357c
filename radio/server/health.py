"""`/healthz`: this process answers. `/readyz`: every station is on the air."""

from __future__ import annotations

from aiohttp import web

from radio.server.operation import operation
from radio.server.stations import CHANNELS
from radio.types import JsonValue


def routes() -> list[web.RouteDef]:
    """The addresses that a supervisor asks."""
    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


@operation("Whether the process answers", tag="health", answer="Health")
async def healthz(_: web.Request) -> web.Response:
    """Say that the event loop turns."""
    return web.json_response({"ok": True})


@operation(
    "Whether all stations are on the air",
    tag="health",
    answer="Health",
    problems={503: "One of them is not."},
)
async def readyz(request: web.Request) -> web.Response:
    """Answer 200 when every station is on the air and its reserve is not used up, 503 otherwise."""
    stations: dict[str, JsonValue] = {
        name: channel.edge.on_air and channel.edge.reserve > 0 for name, channel in request.app[CHANNELS].items()
    }
    ready = all(stations.values())
    return web.json_response({"ok": ready, "stations": stations}, status=200 if ready else 503)
