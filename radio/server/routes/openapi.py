"""`/api/openapi.json`: a description of all routes, generated from their operations and types (OpenAPI 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from aiohttp import web

from radio import __version__
from radio.server.api.body import json_schemas
from radio.server.api.problem import Problem
from radio.server.broadcast.channels import CHANNELS
from radio.server.http.operation import OPERATIONS, Operation, operation
from radio.server.http.responses import json_response
from radio.types import JsonValue

_FIELD = re.compile(r"{(\w+)}")
_DESCRIPTION: Final = """\
An endless lo-fi radio. A frame is a sample at 48 kHz on the single clock of a station: events, titles and control
changes carry the frame at which they are audible. An event stream that is opened with the `sid` of an audio stream
reports the first frame of that audio.

Every GET operation also answers HEAD. Every error is a `Problem`, unless the operation says otherwise. Responses marked
with `x-endless` continue until the client disconnects. `x-events` has the data of server-sent events, by event name.
"""
_PROBLEMS: Final = {
    400: "The request or its body cannot be read.",
    401: "The control token is missing or wrong.",
    403: "Controls are disabled, or a page of another site sent the request.",
    404: "There is no such station or resource.",
    408: "The body did not arrive in time.",
    413: "The body is too long.",
    415: "The body is not sent as application/json.",
    422: "A value is not allowed; `field` names it, and `allowed` the allowed values.",
    429: "Many wrong control tokens came from the client's address.",
    503: "The station is being restarted, or too many requests are waiting.",
}


def routes() -> list[web.RouteDef]:
    """Return the route of the description."""
    return [web.get("/api/openapi.json", get_openapi)]


@operation("Describe the API", tag="health", answer=dict[str, Any])
async def get_openapi(request: web.Request) -> web.Response:
    """Return this description, for people and for client generators."""
    channels = request.app[CHANNELS]
    description = document(request.app.router.routes(), list(channels))
    return json_response(description, headers={"Cache-Control": "no-cache"})


def document(routes: Iterable[web.AbstractRoute], stations: Sequence[str]) -> dict[str, JsonValue]:
    """Return the description of `routes`; a handler without an operation is left out."""
    described = [
        (route.method, route.resource.canonical, OPERATIONS[route.handler])
        for route in routes
        if route.handler in OPERATIONS and route.resource is not None and route.method != "HEAD"
    ]
    schemas = _Schemas([operation for _, _, operation in described])
    paths: dict[str, JsonValue] = {}
    for method, path, described_operation in described:
        methods = paths.setdefault(path, {})
        if isinstance(methods, dict):
            methods[method.lower()] = _operation(method, path, described_operation, stations, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "radio",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "`control_token`"}},
        },
    }


class _Schemas:
    """The JSON schemas of all types that a set of operations uses."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        types: list[Any] = [Problem]
        for item in operations:
            types += [item.answer, item.body, *item.problem_answers.values(), *item.events.values()]
            types += [parameter.type for parameter in item.query]
        types = [type_ for type_ in types if type_ is not None]
        schemas, self.components = json_schemas(types)
        # By identity: an annotated type that contains a dict has no hash.
        self._by_id = {id(type_): schema for type_, schema in zip(types, schemas, strict=True)}

    def of(self, type_: Any) -> dict[str, JsonValue]:
        return self._by_id[id(type_)]

    def content(self, type_: Any) -> dict[str, JsonValue]:
        return {"application/json": {"schema": self.of(type_)}}


def _operation(
    method: str, path: str, described: Operation, stations: Sequence[str], schemas: _Schemas
) -> dict[str, JsonValue]:
    fields = _FIELD.findall(path)
    parameters: list[JsonValue] = [_path_parameter(name, stations) for name in fields]
    parameters += [
        {"name": parameter.name, "in": "query", "required": False, "schema": schemas.of(parameter.type)}
        for parameter in described.query
    ]
    result: dict[str, JsonValue] = {
        "operationId": "_".join([method.lower(), *re.findall(r"\w+", path)]),
        "summary": described.summary,
        "tags": [described.tag],
        "responses": _responses(described, fields, schemas),
    }
    if described.description:
        result["description"] = described.description
    if parameters:
        result["parameters"] = parameters
    if described.body is not None:
        result["requestBody"] = {"required": True, "content": schemas.content(described.body)}
    if described.upload:
        content: dict[str, JsonValue] = {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in described.upload
        }
        result["requestBody"] = {"required": True, "content": content}
    if described.guarded:
        result["security"] = [{"token": []}, {}]
    if described.endless:
        result["x-endless"] = True
    if described.events:
        result["x-events"] = {name: schemas.of(type_) for name, type_ in described.events.items()}
    return result


def _path_parameter(name: str, stations: Sequence[str]) -> JsonValue:
    schema: dict[str, JsonValue] = {"type": "string"}
    if name == "station":
        schema["enum"] = list(stations)
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _responses(described: Operation, fields: Sequence[str], schemas: _Schemas) -> dict[str, JsonValue]:
    content: dict[str, JsonValue] = {media: {} for media in described.media}
    if described.answer is not None:
        content |= schemas.content(described.answer)
    problems = set(described.problems)
    problems |= {404} if fields else set()
    problems |= {422} if described.query else set()
    problems |= {400, 408, 413, 415, 422} if described.body else set()
    problems |= {401, 403, 429} if described.guarded else set()
    responses: dict[str, JsonValue] = {str(described.status): {"description": "Success.", "content": content}}
    for status in sorted(problems):
        description = described.problems.get(status) or _PROBLEMS[status]
        answer = schemas.content(described.problem_answers.get(status, Problem))
        responses[str(status)] = {"description": description, "content": answer}
    responses["default"] = {"description": "Another error.", "content": schemas.content(Problem)}
    return responses
