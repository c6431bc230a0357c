"""A request's body: JSON, short, and sent without delay."""

from __future__ import annotations

import asyncio
import json
from typing import cast

from aiohttp import web

from radio.server.http.problems import ProblemError
from radio.types import JsonValue, Seconds

MAX_BODY = 16 * 1024
"""Bytes of a request's body; every control at once fits many times."""

PATIENCE: Seconds = 15.0
"""How long a body may take to arrive."""


async def json_object(request: web.Request, example: str) -> dict[str, JsonValue]:
    """The object that the body is.

    Args:
        example: One that would be right.

    Raises:
        ProblemError: 415 for another type or a packed body, 408 for one that does not arrive, 400 for one that is not
            JSON, 422 for one that is no object, or an empty one. (413, for one too long, is aiohttp's.)
    """
    if request.content_type != "application/json":
        message = f"the body is sent as '{request.content_type}'"
        raise ProblemError(415, "not_json", message, field="Content-Type", allowed="application/json")
    if (packed := request.headers.get("Content-Encoding", "identity")) != "identity":
        message = f"the body is packed with '{packed}'"
        raise ProblemError(415, "not_json", message, field="Content-Encoding", allowed="identity")
    try:
        async with asyncio.timeout(PATIENCE):
            body = await request.read()
    except TimeoutError as error:
        raise ProblemError(408, "too_slow", f"the body did not arrive within {PATIENCE:g} s") from error
    try:
        # Python's reader knows NaN, JSON does not; a body nested too deep is no better.
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "bad_json", f"the body is not JSON: {error}") from error
    if not isinstance(value, dict) or not value:
        allowed = f"an object such as {example}"
        raise ProblemError(422, "not_allowed", f"the body is not {allowed}", field="body", allowed=allowed)
    return cast("dict[str, JsonValue]", value)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")
