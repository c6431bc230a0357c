"""Kinds of values that are made of other values: lists, mappings, and alternatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from radio.errors import did_you_mean
from radio.settings.kinds import Kind, shown
from radio.types import JsonValue


@dataclass(frozen=True, slots=True)
class Nullable(Kind):
    """`null`, or a value of another kind."""

    name: ClassVar[str] = "nullable"

    kind: Kind

    @property
    def allowed(self) -> str:
        return f"{self.kind.allowed}, or null"

    def check(self, value: object) -> object:
        return None if value is None else self.kind.check(value)

    def schema(self) -> dict[str, JsonValue]:
        return {"anyOf": [self.kind.schema(), {"type": "null"}]}

    def written(self, value: object) -> str:
        return "null" if value is None else self.kind.written(value)


@dataclass(frozen=True, slots=True)
class ListOf(Kind):
    """A list of values of one kind; `least` and `most` limit its length. In YAML `null` is an empty list."""

    name: ClassVar[str] = "list"

    kind: Kind
    least: int = 0
    most: int | None = None
    noun: str = ""
    """Description of the list; if empty, it is made from the kind of the entries."""

    @property
    def allowed(self) -> str:
        return self.noun or f"a list with entries of this kind: {self.kind.allowed}"

    def check(self, value: object) -> tuple[object, ...]:
        if not isinstance(value, (list, tuple)):
            raise self.error(value)
        self.check_length(len(value))
        return tuple(self.kind.check(entry) for entry in value)

    def check_length(self, length: int) -> None:
        """Raise ValueError if a list is too short or too long."""
        if length < self.least:
            raise ValueError(f"this must be a list with at least {_entries(self.least)}")
        if self.most is not None and length > self.most:
            raise ValueError(f"this must be a list with at most {_entries(self.most)}; it has {length}")

    def schema(self) -> dict[str, JsonValue]:
        most: dict[str, JsonValue] = {} if self.most is None else {"maxItems": self.most}
        return {"type": "array", "items": self.kind.schema(), "minItems": self.least, **most}

    def written(self, value: object) -> str:
        entries = value if isinstance(value, (list, tuple)) else ()
        return f"[{', '.join(map(self.kind.written, entries))}]" if entries else "none"


@dataclass(frozen=True, slots=True)
class OneOrMore(Kind):
    """A value of a kind, or a list of at least one of them."""

    name: ClassVar[str] = "list"

    kind: Kind

    @property
    def allowed(self) -> str:
        return f"{self.kind.allowed}, or a list of them"

    @property
    def several(self) -> ListOf:
        """The kind of the list."""
        return ListOf(self.kind, least=1)

    def check(self, value: object) -> object:
        return self.several.check(value) if isinstance(value, (list, tuple)) else self.kind.check(value)

    def schema(self) -> dict[str, JsonValue]:
        return {"anyOf": [self.kind.schema(), self.several.schema()]}

    def written(self, value: object) -> str:
        return self.several.written(value) if isinstance(value, (list, tuple)) else self.kind.written(value)


@dataclass(frozen=True, slots=True)
class WordOr(Kind):
    """A word that means a value, or a value of another kind.

    Args:
        word: Written instead of the value.
        value: The value that the word means.
        kind: The kind of all other values.
        earlier: A former spelling of the word, read with a warning.
    """

    name: ClassVar[str] = "text"

    word: str
    value: object
    kind: Kind
    earlier: str | None = None

    @property
    def allowed(self) -> str:
        return f"{self.word}, or {self.kind.allowed}"

    def check(self, value: object) -> object:
        return value if value == self.value else self.kind.check(value)

    def named(self, word: str) -> object:
        """Return the value that `word` means. Raises ValueError for another word."""
        if word not in (self.word, self.earlier):
            hint = did_you_mean(word, [self.word])
            raise self.error(word, f".{hint}" if hint else "")
        return self.value

    def schema(self) -> dict[str, JsonValue]:
        return {"anyOf": [{"const": self.word}, self.kind.schema()]}

    def written(self, value: object) -> str:
        return self.word if value == self.value else self.kind.written(value)


@dataclass(frozen=True, slots=True)
class PerKey(Kind):
    """One value for every key, or a mapping with values for some keys; the others have the `usual` value."""

    name: ClassVar[str] = "mapping"

    keys: tuple[str, ...]
    kind: Kind
    usual: object

    @property
    def allowed(self) -> str:
        return f"{self.kind.allowed}, or a mapping of {', '.join(self.keys)} to such values"

    def check(self, value: object) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            return dict.fromkeys(self.keys, self.kind.check(value))
        for key in value:
            if key not in self.keys:
                raise ValueError(f"there is no {shown(key)}; the keys are {', '.join(self.keys)}")
        return dict.fromkeys(self.keys, self.usual) | {key: self.kind.check(entry) for key, entry in value.items()}

    def schema(self) -> dict[str, JsonValue]:
        values = self.kind.schema()
        mapping: JsonValue = {
            "type": "object",
            "properties": dict.fromkeys(self.keys, values),
            "additionalProperties": False,
        }
        return {"anyOf": [values, mapping]}

    def written(self, value: object) -> str:
        values = list(value.values()) if isinstance(value, Mapping) else [value]
        if len({*values}) == 1:
            return self.kind.written(values[0])
        entries = [f"{key}: {self.kind.written(entry)}" for key, entry in zip(self.keys, values, strict=True)]
        return f"{{{', '.join(entries)}}}"


@dataclass(frozen=True, slots=True)
class Section(Kind):
    """A mapping of settings, which becomes an instance of a dataclass.

    Args:
        owner: The dataclass.
        allowed: Description of the mapping.
        build: Makes the instance from the given values; None calls `owner`.
        members: Other dataclasses whose settings are in the same mapping, by the prefix of their names.
    """

    name: ClassVar[str] = "mapping"

    owner: type
    allowed: str = "a mapping of settings"
    build: Callable[[Mapping[str, Any]], object] | None = None
    members: Mapping[str, type] = field(default_factory=dict)

    def check(self, value: object) -> object:
        if not isinstance(value, self.owner):
            raise self.error(value)
        return value

    def built(self, values: Mapping[str, object]) -> object:
        """Return the instance with these values and defaults for all others."""
        return self.owner(**values) if self.build is None else self.build(values)

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "object"}

    def written(self, value: object) -> str:
        return "none" if value is None else "see its table"


def _entries(count: int) -> str:
    return "one entry" if count == 1 else f"{count} entries"
