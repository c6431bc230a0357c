"""Descriptions of handlers, from which `/api/openapi.json` is generated.

    @operation("One station in full", tag="stations", answer=Station)
    async def station(request): ...

The description of the operation is the handler's docstring without its first line.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

from aiohttp import web

from radio.server.http.query import QueryParameter

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Tag: TypeAlias = Literal["listen", "stations", "control", "files", "health", "pages"]

_Handler = TypeVar("_Handler", bound=Handler)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    answer: type of a successful JSON response.
    media: content types of a successful response that is not JSON.
    events: types of the data of server-sent events, by name.
    body: type of the request's body.
    upload: content types of a request's body that is a file.
    status: status of a successful response.
    problems: descriptions of other statuses. 404 and 422 follow from path and query, others from `body` and `guarded`.
    problem_answers: types of these responses if they are not a `Problem`.
    guarded: whether the request needs the control token, if there is one.
    endless: whether the response continues until the client disconnects.
    """

    summary: str
    description: str
    tag: Tag
    answer: Any = None
    media: tuple[str, ...] = ()
    events: Mapping[str, Any] = field(default_factory=dict)
    query: tuple[QueryParameter[Any], ...] = ()
    body: Any = None
    upload: tuple[str, ...] = ()
    status: int = 200
    problems: Mapping[int, str] = field(default_factory=dict)
    problem_answers: Mapping[int, Any] = field(default_factory=dict)
    guarded: bool = False
    endless: bool = False


OPERATIONS: dict[Handler, Operation] = {}


def operation(summary: str, *, tag: Tag, **fields: Any) -> Callable[[_Handler], _Handler]:
    """Describe a handler; `fields` are fields of `Operation`."""

    def describe(handler: _Handler) -> _Handler:
        _, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n\n")
        OPERATIONS[handler] = Operation(summary, description, tag, **fields)
        return handler

    return describe
