from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from radio.errors import StreamError
from radio.server.api.events import read_event
from radio.server.app import build
from radio.server.http.authorization import Authorization
from radio.server.http.operation import OPERATIONS
from radio.server.routes import openapi
from radio.settings.controls import CONTROLS
from radio.settings.server import ServerSettings
from radio.types import StationEvent
from tests.server.on_air import DEADLINE, on_air, until
from tests.server.routes.test_stations import get
from tests.server.tone_worker import track_event


def application() -> web.Application:
    return build({}, authorization=Authorization(control=True, token=None), settings=ServerSettings())


def is_described(route: web.AbstractRoute) -> bool:
    """Return whether a route needs a description; the page's files do not, nor do HEAD and OPTIONS, implied by GET."""
    if route.resource is None or route.resource.canonical.startswith("/web/"):
        return False
    return route.method not in {"HEAD", "OPTIONS"}


async def test_every_route_is_described() -> None:
    missing = [
        f"{route.method} {route.resource.canonical}"
        for route in application().router.routes()
        if is_described(route) and route.handler not in OPERATIONS
    ]
    assert missing == []


async def test_every_described_route_exists() -> None:
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
            parameters = described.get("parameters", ())
            fields = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
            assert fields == re.findall(r"{(\w+)}", path)
            assert described["summary"]
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    assert references <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    ids = [described["operationId"] for methods in document["paths"].values() for described in methods.values()]
    assert len(ids) == len(set(ids))


async def test_ranges_of_controls_are_published() -> None:
    async with on_air(start=False) as radio:
        _, document = await get(radio, "/api/openapi.json")
    controls = document["components"]["schemas"]["Controls"]
    assert set(controls["properties"]) == set(CONTROLS)
    tempo = controls["properties"]["tempo"]
    assert (tempo["type"], tempo["minimum"], tempo["maximum"], tempo["x-unit"]) == ("number", 50, 110, "BPM")
    assert controls["properties"]["rain_mute"]["type"] == "boolean"


async def test_json_responses_follow_the_published_schema() -> None:
    """`on_air` checks each response when it is sent; here every JSON operation is called, with and without an error."""
    async with on_air() as radio:
        await until(lambda: len(radio.tone.now_playing.bars) > 0)
        _, document = await get(radio, "/api/openapi.json")
        order = {"station": "tone", "seconds": 600, "formats": ["mid"]}
        bodies = {
            "/api/tracks": order,
            "/api/stations/{station}/controls": {"tempo": 70, "rain_mute": True},
            "/api/stations/{station}/section": {"action": "hold"},
            "/api/stations/{station}/prompt": {"text": "slow, rain"},
        }
        # There is no config file, and no MIDI file is sent; `test_reload` and `test_prime` cover the successes.
        failures = {"/api/reload": {409}, "/api/stations/{station}/prime": {422}}
        called = 0
        for path, method, operation in json_operations(document):
            station = path.replace("{station}", "tone").replace("{id}", "none")
            body = bodies.get(path) if "requestBody" in operation else None
            async with radio.http.request(method, radio.root + station, json=body) as response:
                await response.read()
                assert response.content_type == "application/json"
                expected = {404} if "{id}" in path else failures.get(path, {200, 202, 204})
                assert response.status in expected, (path, method)
                called += 1
            for wrong in ("tona", "%00"):
                async with radio.http.request(
                    method, radio.root + path.replace("{station}", wrong), json=[]
                ) as response:
                    assert response.content_type == "application/json"
                    called += 1
        for path in (
            "/nowhere",
            "/tone/hls/none/index.m3u8",
            "/tone/hls/aac/none.m4s",
            "/tona.opus",
            "/tone.opus?burst=x",
        ):
            status, _ = await get(radio, path)
            assert status in {404, 422}
            called += 1
        assert radio.checker.checked >= called


def json_operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            contents = [response["content"] for response in operation["responses"].values()]
            if any("application/json" in content for content in contents[:1]):
                yield path, method, operation


def test_objects_of_the_schema_are_closed() -> None:
    description = openapi.document(application().router.routes(), ["tone"])
    open_objects = []

    def visit(node: object, where: str) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object" and node.get("additionalProperties", True) is True:
                open_objects.append(where)
            for key, value in node.items():
                visit(value, f"{where}/{key}")
        elif isinstance(node, list):
            for value in node:
                visit(value, where)

    visit(description["components"], "")
    assert open_objects == []


async def test_events_follow_the_published_schema() -> None:
    async with on_air() as radio:
        operation = radio.checker.operation("get", "/api/stations/{station}/events")
        assert operation is not None
        schemas = operation["x-events"]
        await until(lambda: len(radio.tone.now_playing.notes) > 0)
        seen = set()
        async with radio.http.get(f"{radio.root}/api/stations/tone/events?sid=me") as response:
            radio.tone.record_stream_start("me", 960)
            async with radio.http.patch(f"{radio.root}/api/stations/tone/controls", json={"tempo": 70}) as answer:
                assert answer.status == 200
            async with asyncio.timeout(DEADLINE):
                while seen < set(schemas):
                    kind = (await response.content.readline()).decode().removeprefix("event: ").strip()
                    data = json.loads((await response.content.readline()).removeprefix(b"data: "))
                    assert await response.content.readline() == b"\n"
                    radio.checker.validate(data, schemas[kind])
                    seen.add(kind)


@pytest.mark.parametrize("data", [{}, {"title": "A tone"}, track_event(0, tempo="fast").data, track_event(0, x=1).data])
def test_a_malformed_event_from_a_worker_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(StreamError, match="malformed track event"):
        read_event(StationEvent(0, "track", data))


async def test_endless_responses_are_marked() -> None:
    async with on_air(start=False) as radio:
        _, document = await get(radio, "/api/openapi.json")
        endless = {path for path, methods in document["paths"].items() if methods.get("get", {}).get("x-endless")}
        assert {"/{station}.opus", "/api/stations/{station}/events"} <= endless
        for path in document["paths"]:
            if path in endless or "{" in path:
                continue
            async with radio.http.get(radio.root + path) as response:
                await asyncio.wait_for(response.read(), DEADLINE)
