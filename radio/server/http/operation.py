"""What an address does, said where it is done: a handler carries its description, and `/api/openapi.json` gathers them.

    @operation("One station in full", tag="stations", answer="Station")
    async def station(request): ...

The rest of the description is the handler's docstring, past its first line.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from aiohttp import web

from radio.types import JsonValue

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Tag: TypeAlias = Literal["listen", "stations", "control", "files", "health", "pages"]
Schema: TypeAlias = Mapping[str, JsonValue]

_Found = TypeVar("_Found", bound=Handler)


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter behind the question mark."""

    name: str
    schema: Schema
    help: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    answer: the name of a schema in `radio.server.http.schemas`, where the answer is JSON. media: the types of one
    that is
    not. body: the name of the schema that the request's body follows. status: that of a success. problems: statuses of
    its own; 404 and 422 follow from station and query, the others from body and `guarded`.
    """

    summary: str
    description: str
    tag: Tag
    answer: str | None = None
    media: tuple[str, ...] = ()
    query: tuple[Query, ...] = ()
    body: str | None = None
    status: int = 200
    problems: Mapping[int, str] = field(default_factory=dict)
    guarded: bool = False
    """Needs the authorization's token, where there is one."""
    endless: bool = False
    """The answer goes on until somebody hangs up."""


OPERATIONS: dict[Handler, Operation] = {}


def operation(
    summary: str,
    *,
    tag: Tag,
    answer: str | None = None,
    media: tuple[str, ...] = (),
    query: tuple[Query, ...] = (),
    body: str | None = None,
    status: int = 200,
    problems: Mapping[int, str] | None = None,
    guarded: bool = False,
    endless: bool = False,
) -> Callable[[_Found], _Found]:
    """Describe a handler; the arguments are the fields of `Operation`."""

    def describe(handler: _Found) -> _Found:
        _, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n\n")
        OPERATIONS[handler] = Operation(
            summary, description, tag, answer, media, query, body, status, problems or {}, guarded, endless
        )
        return handler

    return describe
