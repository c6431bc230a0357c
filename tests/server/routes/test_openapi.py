from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import jsonschema
from aiohttp import web

from radio.server import app as front
from radio.server.http.authorization import Authorization
from radio.server.http.operation import OPERATIONS
from radio.settings.controls import CONTROLS
from radio.settings.server import ServerSettings
from tests.server.on_air import DEADLINE, on_air
from tests.server.routes.test_stations import get


def application() -> web.Application:
    return front.build({}, authorization=Authorization(control=True, token=None), settings=ServerSettings())


def is_described(route: web.AbstractRoute) -> bool:
    """All but HEAD and OPTIONS, which follow from GET, and the files of the page."""
    if route.resource is None or route.resource.canonical.startswith("/web/"):
        return False
    return route.method not in {"HEAD", "OPTIONS"}


async def test_every_address_is_described() -> None:
    missing = [
        f"{route.method} {route.resource.canonical}"
        for route in application().router.routes()
        if is_described(route) and route.handler not in OPERATIONS
    ]
    assert missing == []


async def test_every_address_in_the_description_is_there() -> None:
    async with on_air(start=False) as radio:
        _, document = await get(radio, "/api/openapi.json")
        routes = {
            (route.method.lower(), route.resource.canonical)
            for route in application().router.routes()
            if is_described(route)
        }
    assert routes == {(method, path) for path, methods in document["paths"].items() for method in methods}
    for path, methods in document["paths"].items():
        for described in methods.values():
            fields = [each["name"] for each in described.get("parameters", ()) if each["in"] == "path"]
            assert fields == re.findall(r"{(\w+)}", path)
            assert described["summary"]
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    assert references <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    ids = [described["operationId"] for methods in document["paths"].values() for described in methods.values()]
    assert len(ids) == len(set(ids))


async def test_the_ranges_are_those_of_the_controls() -> None:
    async with on_air(start=False) as radio:
        _, document = await get(radio, "/api/openapi.json")
    controls = document["components"]["schemas"]["Controls"]
    assert set(controls["properties"]) == set(CONTROLS)
    tempo = controls["properties"]["tempo"]
    assert (tempo["type"], tempo["minimum"], tempo["maximum"], tempo["x-unit"]) == ("number", 50, 110, "BPM")
    assert controls["properties"]["rain_mute"]["type"] == "boolean"


async def test_answers_have_the_shape_that_is_described() -> None:
    async with on_air() as radio:
        _, document = await get(radio, "/api/openapi.json")

        def check(answer: Any, name: str) -> None:
            schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
            jsonschema.validate(answer, schema, jsonschema.Draft202012Validator)

        for path, methods in document["paths"].items():
            described = methods.get("get")
            if described is None or "application/json" not in described["responses"]["200"]["content"]:
                continue
            if re.findall(r"{(\w+)}", path) not in ([], ["station"]):
                continue
            name = described["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            status, answer = await get(radio, path.replace("{station}", "tone"))
            assert status == 200
            check(answer, name)
            status, answer = await get(radio, path.replace("{station}", "tona") + ("" if "{" in path else "/nowhere"))
            assert status == 404
            check(answer, "Problem")
        body = {"tempo": 70, "rain_mute": True}
        check(body, "Controls")
        async with radio.http.patch(f"{radio.root}/api/stations/tone/controls", json=body) as response:
            check(await response.json(), "Landings")


async def test_endless_answers_are_marked() -> None:
    async with on_air(start=False) as radio:
        _, document = await get(radio, "/api/openapi.json")
        endless = {path for path, methods in document["paths"].items() if methods.get("get", {}).get("x-endless")}
        assert {"/{station}.opus", "/api/stations/{station}/events"} <= endless
        for path in document["paths"]:
            if path in endless or "{" in path:
                continue
            async with radio.http.get(radio.root + path) as response:
                await asyncio.wait_for(response.read(), DEADLINE)
