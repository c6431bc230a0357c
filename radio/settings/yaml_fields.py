"""Reading of declared settings from YAML: a reader for each kind of value, which reports problems with their lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from radio.errors import ControlError, SettingsError
from radio.settings.containers import ListOf, Nullable, OneOrMore, PerKey, Section, WordOr
from radio.settings.fields import Setting, settings_in
from radio.settings.kinds import File, Kind, Parsed, Text
from radio.settings.yaml_reader import FaultError, Reader, Reading, checked, is_null, text, value_of


def readers(reading: Reading, settings: Mapping[str, Setting]) -> dict[str, Reader]:
    """Return a reader for each setting, by name."""
    return {name: reader(reading, setting.kind, name) for name, setting in settings.items()}


def reader(reading: Reading, kind: Kind, where: str) -> Reader:
    """Return a reader for values of a kind. `where` is the prefix of problems with values inside a list or mapping."""
    match kind:
        case Nullable():
            inner = reader(reading, kind.kind, where)
            return lambda node: None if is_null(node) else inner(node)
        case ListOf():
            return _list(reading, kind, where)
        case OneOrMore():
            one, several = reader(reading, kind.kind, where), _list(reading, kind.several, where)
            return lambda node: several(node) if isinstance(node, yaml.SequenceNode) else one(node)
        case WordOr():
            return _word_or(reading, kind, where)
        case PerKey():
            return _per_key(reading, kind, where)
        case Section():
            return _section(reading, kind, where)
        case File():
            return _file(reading, kind)
        case Text() | Parsed():
            return checked(kind.check, text)
        case _:
            return checked(kind.check, value_of)


def _list(reading: Reading, kind: ListOf, where: str) -> Reader:
    entry = reader(reading, kind.kind, where)

    def read(node: yaml.Node) -> tuple[object, ...]:
        if kind.least == 0 and is_null(node):
            return ()
        before = reading.problems
        values = reading.entries(node, where, entry)
        if reading.problems == before:
            try:
                kind.check_length(len(values))
            except ValueError as error:
                raise FaultError(node, str(error)) from error
        return values

    return read


def _word_or(reading: Reading, kind: WordOr, where: str) -> Reader:
    other = reader(reading, kind.kind, where)
    word = checked(kind.named, text)

    def read(node: yaml.Node) -> object:
        if not isinstance(node, yaml.ScalarNode):
            return other(node)
        value = word(node)
        if kind.earlier is not None and node.value == kind.earlier:
            reading.warning(node, f"{where}: '{kind.earlier}' is now spelled '{kind.word}'")
        return value

    return read


def _per_key(reading: Reading, kind: PerKey, where: str) -> Reader:
    one = reader(reading, kind.kind, where)

    def read(node: yaml.Node) -> Mapping[str, object]:
        if not isinstance(node, yaml.MappingNode):
            return dict.fromkeys(kind.keys, one(node))
        return kind.check(reading.mapping(node, where, dict.fromkeys(kind.keys, one)))

    return read


def _section(reading: Reading, kind: Section, where: str) -> Reader:
    settings = settings_in(kind)
    of_setting = readers(reading, settings)

    def read(node: yaml.Node) -> object:
        before = reading.problems
        values = reading.mapping(node, where, of_setting)
        if reading.problems > before:
            return None
        for name, setting in settings.items():
            if setting.is_required and name not in values:
                raise FaultError(node, f"{name} is missing: {setting.help}")
        try:
            return kind.built(values)
        except (SettingsError, ControlError, ValueError) as error:
            raise FaultError(node, str(error)) from error

    return read


def _file(reading: Reading, kind: File) -> Reader:
    def read(node: yaml.Node) -> Path:
        try:
            path = reading.path.parent / Path(text(node)).expanduser()
        except RuntimeError as error:
            raise FaultError(node, f"'{text(node)}': ~ means no folder here; write the full path") from error
        try:
            kind.check_exists(path)
        except ValueError as error:
            if not reading.allow_missing:
                raise FaultError(node, str(error)) from error
            reading.warning(node, f"{error}; textures play until there is one")
        return path

    return read
