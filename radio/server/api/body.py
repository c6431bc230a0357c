"""The base class of the API's JSON bodies, their encoding, and the JSON schema derived from their types.

A body is a msgspec Struct. Its annotations are the only declaration of its fields: requests are checked against them,
responses are built from them, and `/api/openapi.json` is generated from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from radio.server.api.controls import CONTROLS_SCHEMA, DeclaredValues
from radio.types import JsonValue


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The base class of request and response bodies."""


Frame: TypeAlias = Annotated[int, Meta(description="Position on the station's clock, in samples at 48 kHz.")]
LiveEdge: TypeAlias = Annotated[int, Meta(description="Frame up to which audio has been released to listeners.")]
SampleRate: TypeAlias = Annotated[int, Meta(description="Frames per second.")]
Time: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]

_REFERENCE = "#/components/schemas/{name}"
_encoder = msgspec.json.Encoder()


def encode(body: object) -> bytes:
    """Return a body as JSON."""
    return _encoder.encode(body)


def iso_time(at: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def json_schemas(types: Iterable[Any]) -> tuple[list[dict[str, JsonValue]], dict[str, JsonValue]]:
    """Return the JSON schema of each type (draft 2020-12), and the components that these schemas refer to."""
    schemas, components = msgspec.json.schema_components(types, schema_hook=_custom_schema, ref_template=_REFERENCE)
    for component in components.values():
        if component.get("type") == "object":
            component.setdefault("additionalProperties", False)  # msgspec leaves the schemas of dataclasses open
    return list(schemas), {"Controls": CONTROLS_SCHEMA, **components}


def _custom_schema(type_: type) -> dict[str, JsonValue]:
    if issubclass(type_, DeclaredValues):
        return type_.json_schema()
    raise NotImplementedError
