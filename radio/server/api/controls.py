"""The controls of a station as JSON. `radio.settings.controls` declares their ranges and meanings."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from radio.settings.controls import CONTROLS, Controls
from radio.types import JsonValue

PROPERTIES: Final[dict[str, JsonValue]] = {name: control.setting.json_schema() for name, control in CONTROLS.items()}

CONTROLS_SCHEMA: Final[dict[str, JsonValue]] = {
    "title": "Controls",
    "description": "Values of controls by name.",
    "type": "object",
    "properties": PROPERTIES,
    "additionalProperties": False,
}


class DeclaredValues(dict[str, JsonValue]):
    """An object whose JSON schema is derived from the declarations in `radio.settings`."""

    @classmethod
    def json_schema(cls) -> dict[str, JsonValue]:
        raise NotImplementedError


class ControlValues(DeclaredValues):
    """Values of some controls by name. `Controls.changed` validates them."""

    @classmethod
    def json_schema(cls) -> dict[str, JsonValue]:
        return {"$ref": "#/components/schemas/Controls"}


class ControlPatch(ControlValues):
    """A change of at least one control."""

    @classmethod
    def json_schema(cls) -> dict[str, JsonValue]:
        return {**super().json_schema(), "minProperties": 1, "examples": [{"temperature": 0.9, "tempo": 78}]}


class ControlEvent(ControlValues):
    """The control values that took effect at `frame`, and `frame` itself."""

    kind = "control"

    @property
    def frame(self) -> int:
        return int(self["frame"])  # type: ignore[arg-type]

    @classmethod
    def json_schema(cls) -> dict[str, JsonValue]:
        return {
            **CONTROLS_SCHEMA,
            "title": "ControlEvent",
            "description": "The control values that took effect, and the frame at which they did so.",
            "properties": {**PROPERTIES, "frame": {"type": "integer"}},
            "required": ["frame"],
        }


def all_values(controls: Controls) -> ControlValues:
    """Return the value of every control."""
    return ControlValues({field.name: getattr(controls, field.name) for field in fields(controls)})
