"""JSON bodies of requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TypeVar

from aiohttp import web

from radio.server.http.problems import ProblemError
from radio.server.http.validation import read_object
from radio.types import Seconds

MAX_BODY = 16 * 1024
"""Maximum size of a request body in bytes, many times the size of all controls."""

BODY_TIMEOUT: Seconds = 15.0
"""Time within which a request body must arrive."""

_T = TypeVar("_T")


async def read_body(
    request: web.Request, type_: type[_T], *, example: str, allowed: Mapping[str, str] | None = None
) -> _T:
    """Return the body of a request.

    Args:
        type_: A struct of `radio.server.api`, or a subclass of dict.
        example: A correct body, for the error message.
        allowed: The allowed values in words, by field, if they do not follow from the field's type.

    Raises:
        ProblemError: 415 for another content type or a compressed body, 408 if the body does not arrive in time, 400
            if it is not JSON, 422 if it is not an object, is empty, or has a wrong field. (aiohttp answers 413 to a
            body that is too long.)
    """
    if request.content_type != "application/json":
        message = f"the body is sent as '{request.content_type}'; send application/json"
        raise ProblemError(415, "not_json", message, field="Content-Type", allowed="application/json")
    if (encoding := request.headers.get("Content-Encoding", "identity")) != "identity":
        message = f"the body is compressed with '{encoding}'; send it uncompressed"
        raise ProblemError(415, "not_json", message, field="Content-Encoding", allowed="identity")
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            body = await request.read()
    except TimeoutError as error:
        raise ProblemError(408, "too_slow", f"the body did not arrive within {BODY_TIMEOUT:g} s") from error
    try:
        # Not msgspec's decoder: it omits the field of a number out of range, and does not accept 2.0 as an integer.
        value = json.loads(body, parse_constant=_reject_constant, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "bad_json", f"the body is not JSON: {error}") from error
    if not isinstance(value, dict) or not value:
        words = f"an object such as {example}"
        raise ProblemError(422, "not_allowed", f"the body is not {words}", field="body", allowed=words)
    return read_object(value, type_, allowed=allowed)


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")
