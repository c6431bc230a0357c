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
    allowed: Annotated[str | None, Meta(description="The allowed values.")] | UnsetType = UNSET


class Problem(Body):
    """The response to a failed request."""

    error: Fault
