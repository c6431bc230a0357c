"""Kinds of values: numbers, choices, words, files and lists, with the rules for each.

A kind checks a Python value, describes the values that it allows, and gives their JSON schema. How a kind is read from
YAML, with the line of each problem, is in `radio.settings.yaml_fields`.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from radio.errors import did_you_mean
from radio.types import JsonValue


def shown(value: object) -> str:
    """Return a value as an error message quotes it: as YAML and JSON write it, or as Python does."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)


class Kind(ABC):
    """The values that a setting can have."""

    name: ClassVar[str]
    """The name of the kind in the API."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """The allowed values in words, as in "a number from 0 to 1"."""

    @abstractmethod
    def check(self, value: object) -> object:
        """Return `value` in its own type. Raises ValueError where it is not allowed."""

    @abstractmethod
    def schema(self) -> dict[str, JsonValue]:
        """Return the JSON schema of the values."""

    def written(self, value: object) -> str:
        """Return `value` as it is written in YAML."""
        return "null" if value is None else str(value)

    def error(self, value: object, hint: str = "") -> ValueError:
        """Return the error for a value that is not allowed."""
        return ValueError(f"{shown(value)} is not {self.allowed}{hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Kind):
    """Numbers in a range. `low` and `high` belong to the range, `above` and `below` are just outside it."""

    name: ClassVar[str] = "float"
    noun: ClassVar[str] = "a number"

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    unit: str = ""

    @property
    def allowed(self) -> str:
        if self.low is not None and self.high is not None:
            bounds = [f"from {_plain(self.low)} to {_plain(self.high)}"]
        else:
            ends = {"at least": self.low, "above": self.above, "at most": self.high, "below": self.below}
            bounds = [" and ".join(f"{words} {_plain(end)}" for words, end in ends.items() if end is not None)]
        return " ".join(filter(None, (self.noun, *bounds, self.unit)))

    def check(self, value: object) -> float:
        number = self._in_range(value)
        return float(number)

    def _in_range(self, value: object) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and self._contains(value):
            return value
        raise self.error(value, "; write it without quotes" if _is_quoted_number(value) else "")

    def _contains(self, value: float) -> bool:
        # Each comparison is false for NaN. Integers too large for a float are compared, not converted.
        inside = self.low is None or value >= self.low
        inside &= self.high is None or value <= self.high
        inside &= self.above is None or value > self.above
        inside &= self.below is None or value < self.below
        return inside and abs(value) <= sys.float_info.max

    def schema(self) -> dict[str, JsonValue]:
        bounds: dict[str, JsonValue] = {
            "minimum": self.low,
            "maximum": self.high,
            "exclusiveMinimum": self.above,
            "exclusiveMaximum": self.below,
            "x-unit": self.unit or None,
        }
        kind = "integer" if self.name == "int" else "number"
        return {"type": kind, **{name: bound for name, bound in bounds.items() if bound is not None}}

    def written(self, value: object) -> str:
        return _plain(value) if isinstance(value, (int, float)) else Kind.written(self, value)


class Whole(Number):
    """Whole numbers in a range."""

    name: ClassVar[str] = "int"
    noun: ClassVar[str] = "a whole number"

    def check(self, value: object) -> int:
        number = self._in_range(value)
        if isinstance(number, int):
            return number
        if not number.is_integer():
            raise self.error(value)
        return int(number)


class Flag(Kind):
    """True or false."""

    name: ClassVar[str] = "bool"
    allowed = "true or false"

    def check(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.error(value)
        return value

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "boolean"}

    def written(self, value: object) -> str:
        return shown(value)


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of several words."""

    name: ClassVar[str] = "choice"

    choices: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return f"one of {', '.join(self.choices)}"

    def check(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.choices:
            hint = did_you_mean(value, self.choices) if isinstance(value, str) else ""
            raise self.error(value, f".{hint}" if hint else "")
        return value

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "string", "enum": [*self.choices]}


class Text(Kind):
    """Any text."""

    name: ClassVar[str] = "text"
    allowed = "text"

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.error(value)
        return value

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "string"}

    def written(self, value: object) -> str:
        return str(value) or "none"


@dataclass(frozen=True, slots=True)
class Word(Text):
    """Text in a form that a function checks.

    Args:
        parse: Raises ValueError, with the reason, for text that is not allowed.
        allowed: The form in words, as in "a pitch such as Eb".
    """

    parse: Callable[[str], object]
    allowed: str

    def check(self, value: object) -> str:
        word = Text.check(self, value)
        self.parse(word)
        return word


@dataclass(frozen=True, slots=True)
class File(Kind):
    """The path of a file.

    Args:
        noun: The role of the file, as in "soundfont".
        remedy: What to do where the file does not exist.
    """

    name: ClassVar[str] = "file"

    noun: str
    remedy: str = ""

    @property
    def allowed(self) -> str:
        return f"the path of a {self.noun}"

    def check(self, value: object) -> Path:
        if not isinstance(value, (str, Path)):
            raise self.error(value)
        return Path(value)

    def check_exists(self, path: Path) -> None:
        """Raise ValueError where there is no such file."""
        if not path.is_file():
            raise ValueError(f"there is no {self.noun} {path}{self.remedy and ': '}{self.remedy}")

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "string"}


class Folder(File):
    """The path of a folder."""

    name: ClassVar[str] = "folder"

    def check_exists(self, path: Path) -> None:
        if not path.is_dir():
            raise ValueError(f"there is no folder {path}{self.remedy and ': '}{self.remedy}")


@dataclass(frozen=True, slots=True)
class Optional(Kind):
    """`null`, or a value of another kind."""

    name: ClassVar[str] = "optional"

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

    @property
    def allowed(self) -> str:
        return f"a list, each entry {self.kind.allowed}"

    def check(self, value: object) -> tuple[object, ...]:
        if not isinstance(value, (list, tuple)):
            raise self.error(value)
        self.check_length(len(value))
        return tuple(self.kind.check(entry) for entry in value)

    def check_length(self, length: int) -> None:
        """Raise ValueError for too short or too long a list."""
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
class WordOr(Kind):
    """A word that stands for a value, or a value of another kind.

    Args:
        word: Written in place of the value.
        value: The value that the word stands for.
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
        """Return the value that `word` stands for. Raises ValueError for another word."""
        if word not in (self.word, self.earlier):
            raise self.error(word, f".{did_you_mean(word, [self.word])}" if did_you_mean(word, [self.word]) else "")
        return self.value

    def schema(self) -> dict[str, JsonValue]:
        return {"anyOf": [{"const": self.word}, self.kind.schema()]}

    def written(self, value: object) -> str:
        return self.word if value == self.value else self.kind.written(value)


@dataclass(frozen=True, slots=True)
class PerKey(Kind):
    """One value for every key, or a mapping with a value for some of them; the other keys have the usual value."""

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
        return (
            f"{{{', '.join(f'{key}: {self.kind.written(each)}' for key, each in zip(self.keys, values, strict=True))}}}"
        )


@dataclass(frozen=True, slots=True)
class Section(Kind):
    """A dataclass whose fields are settings."""

    name: ClassVar[str] = "mapping"

    settings: type
    noun: str = field(default="a mapping of settings")

    @property
    def allowed(self) -> str:
        return self.noun

    def check(self, value: object) -> object:
        if not isinstance(value, self.settings):
            raise self.error(value)
        return value

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "object"}

    def written(self, value: object) -> str:
        return "its own defaults" if value is not None else "none"


def _plain(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}" if abs(number) < 1e6 else str(number)


def _entries(count: int) -> str:
    return "one entry" if count == 1 else f"{count} entries"


def _is_quoted_number(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True
