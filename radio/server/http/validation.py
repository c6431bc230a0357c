"""Validation of a request's values against their types. An error names the field and its allowed values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from radio.errors import did_you_mean
from radio.server.http.problems import ProblemError
from radio.types import JsonValue

_LONGEST = 40
_FIELD = re.compile(r"`\$\.(\w+)")
_T = TypeVar("_T")


def read_object(value: Mapping[str, JsonValue], type_: type[_T], *, allowed: Mapping[str, str] | None = None) -> _T:
    """Return an object as an instance of its type, a struct or a subclass of dict.

    Args:
        allowed: The allowed values in words, by field, if they do not follow from the field's type.

    Raises:
        ProblemError: 422, with the wrong field.
    """
    if not issubclass(type_, msgspec.Struct):
        return type_(value)  # type: ignore[call-arg]  # a subclass of dict
    fields = {item.name: item for item in inspect.type_info(type_).fields}  # type: ignore[attr-defined]
    texts = {name: allowed_values(item.type) for name, item in fields.items()} | dict(allowed or {})
    for name in value:
        if name not in fields:
            message = f"there is no field '{shown(name)}'.{did_you_mean(name, list(fields))}"
            raise refused(name, message, ", ".join(fields))
    for name, item in fields.items():
        if item.required and name not in value:
            raise refused(name, f"{name} is missing: it must be {texts[name]}", texts[name])
    try:
        return msgspec.convert(value, type_, dec_hook=_custom)
    except msgspec.ValidationError as error:
        match = _FIELD.search(str(error))
        if match is None:
            raise
        name = match[1]
        raise refused(name, f"{name}: {shown(value[name])} is not {texts[name]}", texts[name]) from error


def read_text(name: str, text: str, type_: Any) -> Any:  # of that type
    """Return the value of a query parameter.

    Raises:
        ProblemError: 422 if the value is not allowed.
    """
    try:
        value = msgspec.convert(text, type_, strict=False)
    except msgspec.ValidationError:
        value = math.nan
    if isinstance(value, float) and not math.isfinite(value):
        allowed = allowed_values(inspect.type_info(type_))
        raise refused(name, f"{name}: '{shown(text)}' is not {allowed}", allowed)
    return value


def allowed_values(info: inspect.Type) -> str:
    """Return the allowed values of a type in words, such as "a number from 5 to 600"."""
    match info:
        case inspect.Metadata(extra={"allowed": words}):
            return str(words)
        case inspect.Metadata(type=inner):
            return allowed_values(inner)
        case inspect.UnionType(types=types):
            return " or ".join(map(allowed_values, types))
        case inspect.IntType(ge=low, le=high):
            return f"a whole number{_range(low, high)}"
        case inspect.FloatType(ge=low, le=high):
            return f"a number{_range(low, high)}"
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case inspect.StrType():
            return "a string"
        case _:
            raise TypeError(f"{info} cannot be put into words: add `allowed` to its Meta")


def shown(value: object) -> str:
    """Return a value as text for a message: shortened, and strings without quotes."""
    words = value if isinstance(value, str) else repr(value)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


def refused(field: str, message: str, allowed: str) -> ProblemError:
    """Return the error for a value that is not allowed."""
    return ProblemError(422, "not_allowed", message, field=field, allowed=allowed)


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "" if low is None else f" of at least {low:g}"
    return f" from {_plain(low)} to {_plain(high)}"


def _plain(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def _custom(type_: type[_T], value: object) -> _T:
    # The message is not shown: `read_object` writes its own.
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004  # msgspec turns a ValueError into a ValidationError
    return type_(value)  # type: ignore[call-arg]  # a subclass of dict
