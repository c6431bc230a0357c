"""`/api/reload`: reload the config."""

from __future__ import annotations

from aiohttp import web

from radio.errors import SettingsError
from radio.server.api.reload import Reload
from radio.server.broadcast.reloader import RELOADER
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.operation import operation
from radio.server.http.problems import ProblemError
from radio.server.http.request_log import log_change
from radio.server.http.responses import json_response


def routes() -> list[web.RouteDef]:
    """Return the route."""
    return [web.post("/api/reload", reload_config)]


@operation(
    "Reload the config",
    tag="control",
    answer=Reload,
    guarded=True,
    problems={409: "The config has mistakes, or the server was started without one; nothing is changed."},
)
async def reload_config(request: web.Request) -> web.Response:
    """Read `stations.yaml` again and apply it, as the signal SIGHUP does.

    Listeners of stations that have not changed notice nothing. A changed station continues its streams with the new
    settings.
    """
    request.app[AUTHORIZATION].require(request)
    reloader = request.app[RELOADER]
    if reloader is None:
        raise ProblemError(409, "no_config", "this server was started without a config file")
    try:
        log_change(request, "reload of the config")
        result = await reloader.reload()
    except SettingsError as error:
        raise ProblemError(409, "invalid_config", str(error)) from error
    stations = result.stations
    return json_response(
        Reload(
            added=[*stations.added],
            changed=[*stations.changed],
            removed=[*stations.removed],
            failed={**stations.failed},
            at_next_start=[*result.at_next_start],
        ),
        headers={"Cache-Control": "no-store"},
    )
