"""What an address says behind its question mark, checked: anything else is a 422 that names what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from aiohttp import web

from radio.server.http.problems import ProblemError

SID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST = 32


def sid_of(request: web.Request) -> str | None:
    """The name that the client gave its stream, `?sid=`."""
    sid = request.query.get("sid")
    if sid is not None and not SID.fullmatch(sid):
        raise _refused("sid", sid, "1 to 64 letters, digits, - and _")
    return sid


def number(request: web.Request, name: str, low: float, high: float, *, default: float) -> float:
    """A number from `low` to `high`."""
    text = request.query.get(name)
    if text is None:
        return default
    try:
        value = float(text) if len(text) <= _LONGEST and text.isascii() else math.nan
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise _refused(name, text, f"a number from {low:g} to {high:g}")
    return value


def whole(request: web.Request, name: str, low: int, high: int, *, default: int) -> int:
    """A whole number from `low` to `high`."""
    value = number(request, name, low, high, default=default)
    if value % 1:
        raise _refused(name, request.query[name], f"a whole number from {low} to {high}")
    return int(value)


def one_of(request: web.Request, name: str, choices: Sequence[str], *, default: str) -> str:
    """One of `choices`."""
    text = request.query.get(name, default)
    if text not in choices:
        raise _refused(name, text, f"one of {', '.join(choices)}")
    return text


def _refused(name: str, text: str, allowed: str) -> ProblemError:
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return ProblemError(422, "not_allowed", f"{name}: '{shown}' is not {allowed}", field=name, allowed=allowed)
