"""Errors."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from radio.server.api.body import Body


class Fault(Body):
    """A description of an error."""

    code: Annotated[str, Meta(description="For programs.")]
    message: Annotated[str, Meta(description="For people.")]
    field: Annotated[str, Meta(description="The part of the request that is wrong.")] | UnsetType = UNSET
    allowed: Annotated[str | None, Meta(description="What is allowed there.")] | UnsetType = UNSET


class Problem(Body):
    """The answer to a request that failed."""

    error: Fault
