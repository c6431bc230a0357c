"""`/api/openapi.json`: every route of the front, gathered from what stands beside its handler (OpenAPI 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from aiohttp import web

from radio import __version__
from radio.server.broadcast.channels import CHANNELS
from radio.server.http.operation import OPERATIONS, Operation, operation
from radio.server.http.schemas import SCHEMAS, ref
from radio.types import JsonValue

_FIELD = re.compile(r"{(\w+)}")
_ABOUT = """\
An endless lo-fi radio. Frames are samples at 48 kHz on a station's one clock: an event, a title, a change of controls
carries the frame at which it is heard, and an event stream with the `?sid=` of an audio stream tells where that began.

Every GET answers HEAD too. Every error is a `Problem`. What is marked with `x-endless` goes on until somebody hangs up.
"""
_PROBLEMS = {
    400: "It cannot be read.",
    401: "The token of this radio is missing or wrong.",
    403: "The controls are switched off, or a page of another site asks.",
    404: "There is no such station, or no such thing.",
    408: "The body did not arrive in time.",
    413: "The body is too long.",
    415: "The body is not sent as application/json.",
    422: "A value is not allowed; `field` and `allowed` say which would be.",
    503: "The station is being restarted, or too much waits already.",
}


def routes() -> list[web.RouteDef]:
    """The address of the description."""
    return [web.get("/api/openapi.json", openapi)]


@operation("This description", tag="health", answer="Document")
async def openapi(request: web.Request) -> web.Response:
    """Every address of this radio, for people and for generators of clients."""
    channels = request.app[CHANNELS]
    found = document(request.app.router.routes(), list(channels))
    return web.json_response(found, headers={"Cache-Control": "no-cache"})


def document(found: Iterable[web.AbstractRoute], stations: Sequence[str]) -> dict[str, JsonValue]:
    """The description of these routes; a handler without an operation is left out."""
    paths: dict[str, JsonValue] = {}
    for route in found:
        described = OPERATIONS.get(route.handler)
        if described is None or route.resource is None or route.method == "HEAD":
            continue
        path = route.resource.canonical
        methods = paths.setdefault(path, {})
        if isinstance(methods, dict):
            methods[route.method.lower()] = _operation(route.method, path, described, stations)
    return {
        "openapi": "3.1.0",
        "info": {"title": "radio", "version": __version__, "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "`control_token`"}},
        },
    }


def _operation(method: str, path: str, described: Operation, stations: Sequence[str]) -> dict[str, JsonValue]:
    fields = _FIELD.findall(path)
    parameters: list[JsonValue] = [_field(name, stations) for name in fields]
    parameters += [
        {"name": query.name, "in": "query", "required": False, "schema": dict(query.schema), "description": query.help}
        for query in described.query
    ]
    found: dict[str, JsonValue] = {
        "operationId": "_".join([method.lower(), *re.findall(r"\w+", path)]),
        "summary": described.summary,
        "tags": [described.tag],
        "responses": _responses(described, fields),
    }
    if described.description:
        found["description"] = described.description
    if parameters:
        found["parameters"] = parameters
    if described.body:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": ref(described.body)}}}
    if described.guarded:
        found["security"] = [{"token": []}, {}]
    if described.endless:
        found["x-endless"] = True
    return found


def _field(name: str, stations: Sequence[str]) -> JsonValue:
    schema: dict[str, JsonValue] = {"type": "string"}
    if name == "station":
        schema["enum"] = list(stations)
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _responses(described: Operation, fields: Sequence[str]) -> dict[str, JsonValue]:
    content: dict[str, JsonValue] = {media: {} for media in described.media}
    if described.answer:
        content["application/json"] = {"schema": ref(described.answer)}
    problems = set(described.problems)
    problems |= {404} if fields else set()
    problems |= {422} if described.query else set()
    problems |= {400, 408, 413, 415, 422} if described.body else set()
    problems |= {401, 403} if described.guarded else set()
    found: dict[str, JsonValue] = {str(described.status): {"description": "It is so.", "content": content}}
    for status in sorted(problems):
        said = described.problems.get(status) or _PROBLEMS[status]
        found[str(status)] = {"description": said, "content": {"application/json": {"schema": ref("Problem")}}}
    return found
