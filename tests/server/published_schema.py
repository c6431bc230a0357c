"""A check of every JSON response of an application against its published description."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import jsonschema
from aiohttp import web

from radio.server.routes.openapi import document

PROBLEM = {"$ref": "#/components/schemas/Problem"}


_Validators = dict[str, jsonschema.protocols.Validator]
_PUBLISHED: dict[object, tuple[dict[str, Any], _Validators]] = {}
"""The description and validators of each set of routes and stations; hundreds of servers share them."""


class ResponseChecker:
    """Checks each JSON response as it is sent. Must be created before the application starts."""

    def __init__(self, app: web.Application, stations: Sequence[str]) -> None:
        self.problems: list[str] = []
        self.checked = 0
        routes = list(app.router.routes())
        paths = [(route.method, route.resource.canonical) for route in routes if route.resource is not None]
        key = tuple(paths), tuple(stations)
        if key not in _PUBLISHED:
            _PUBLISHED[key] = document(routes, stations), {}
        self._document, self._validators = _PUBLISHED[key]
        app.on_response_prepare.append(self._check)

    def validate(self, body: Any, schema: dict[str, Any]) -> None:
        key = json.dumps(schema)
        if key not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            self._validators[key] = jsonschema.Draft202012Validator(whole)
        self._validators[key].validate(body)

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """Return the description of an operation, if there is one."""
        return self._document["paths"].get(path, {}).get(method.lower())  # type: ignore[no-any-return]

    async def _check(self, request: web.Request, response: web.StreamResponse) -> None:
        if response.content_type != "application/json" or not isinstance(response, web.Response):
            return
        if request.method == "HEAD":
            return
        where = f"{request.method} {request.path_qs}: {response.status}"
        try:
            assert isinstance(response.body, bytes)
            self.validate(json.loads(response.body), self._schema(request, response.status))
            self.checked += 1
        except (AssertionError, LookupError, jsonschema.ValidationError) as error:
            self.problems.append(f"{where}: {error}")

    def _schema(self, request: web.Request, status: int) -> dict[str, Any]:
        resource = request.match_info.route.resource
        operation = self.operation(request.method, resource.canonical) if resource is not None else None
        if operation is None:
            assert status >= 400
            return PROBLEM
        responses = operation["responses"]
        assert status >= 400 or str(status) in responses
        schema: dict[str, Any] = responses.get(str(status), responses["default"])["content"]["application/json"][
            "schema"
        ]
        return schema
