"""The settings of a station that its history records. `radio.settings.station` declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Final

from radio.server.api.controls import DeclaredValues
from radio.settings.containers import Section, WordOr
from radio.settings.fields import Setting, settings_of
from radio.settings.station import StationSettings
from radio.types import JsonValue

_RECORDED: Final[Mapping[str, Setting]] = MappingProxyType(
    {name: setting for name, setting in settings_of(StationSettings).items() if setting.uses.get("shapes_music")}
)
"""Other settings are private, such as the servers that a station is pushed to."""


class MusicSettings(DeclaredValues):
    """The settings of a station that shape its music or its sound."""

    @classmethod
    def json_schema(cls) -> dict[str, JsonValue]:
        return _closed_object(_RECORDED)


def music_settings(settings: StationSettings) -> MusicSettings:
    """Return the recorded settings of a station. Paths are reduced to file names, since folders are private."""
    values = asdict(settings)
    recorded = {name: values[name] for name in _RECORDED}
    return MusicSettings({name: value.name if isinstance(value, Path) else value for name, value in recorded.items()})


def _closed_object(settings: Mapping[str, Setting]) -> dict[str, JsonValue]:
    properties: dict[str, JsonValue] = {name: _schema(setting) for name, setting in settings.items()}
    required: list[JsonValue] = [*settings]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _schema(setting: Setting) -> dict[str, JsonValue]:
    """Return the schema of a recorded value. For sections and words it differs from the schema of the YAML."""
    match setting.kind:
        case Section(owner):
            return {**_closed_object(settings_of(owner)), "description": setting.help}
        case WordOr(value=value, kind=kind):
            # `progressions: learned` in YAML is recorded as an empty list.
            constant: JsonValue = [*value] if isinstance(value, tuple) else None
            return {"anyOf": [kind.schema(), {"const": constant}], "description": setting.help}
        case _:
            return setting.json_schema()
