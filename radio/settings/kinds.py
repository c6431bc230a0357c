"""Kinds of values: numbers, choices, words and files, with the rules for each.

A kind checks a Python value, describes the values that it allows, and gives their JSON schema. How a kind is read from
YAML, with the line of each problem, is in `radio.settings.yaml_fields`. Kinds that are made of other kinds are in
`radio.settings.containers`.
"""

from __future__ import annotations

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from radio.errors import did_you_mean
from radio.paths import PACKAGE
from radio.types import JsonValue

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Halves of characters, which cannot be encoded."""
_UNQUOTED: Final = "; write it without quotes"


def shown(value: object) -> str:
    """Return a value as quoted in an error message: null and bools as in YAML and JSON, others as in Python."""
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

    @property
    def values(self) -> str:
        """The allowed values in a table, as in "0 to 1"."""
        return self.allowed

    @abstractmethod
    def check(self, value: object) -> object:
        """Return `value` in its own type. Raises ValueError if it is not allowed."""

    @abstractmethod
    def schema(self) -> dict[str, JsonValue]:
        """Return the JSON schema of the values."""

    def written(self, value: object) -> str:
        """Return `value` as written in YAML."""
        return "null" if value is None else str(value)

    def error(self, value: object, hint: str = "") -> ValueError:
        """Return the error for a value that is not allowed."""
        return ValueError(f"{shown(value)} is not {self.allowed}{hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Kind):
    """Numbers in a range. `low` and `high` are inclusive, `above` and `below` exclusive."""

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

    @property
    def values(self) -> str:
        return self.allowed.removeprefix(f"{self.noun} ").removeprefix("from ")

    def check(self, value: object) -> float:
        number = self._in_range(value)
        return float(number)

    def _in_range(self, value: object) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and self._contains(value):
            return value
        raise self.error(value, _UNQUOTED if _is_quoted_number(value) else "")

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
    values = "true, false"

    def check(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.error(value, _UNQUOTED if value in ("true", "false") else "")
        return value

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "boolean"}

    def written(self, value: object) -> str:
        return shown(value)


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of several words or whole numbers."""

    name: ClassVar[str] = "choice"

    choices: tuple[str | int, ...]

    @property
    def allowed(self) -> str:
        return f"one of {self.values}"

    @property
    def values(self) -> str:
        return ", ".join(map(str, self.choices))

    def check(self, value: object) -> str | int:
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value in self.choices:
            return value
        hint = did_you_mean(value, [str(choice) for choice in self.choices]) if isinstance(value, str) else ""
        raise self.error(value, f".{hint}" if hint else "")

    def schema(self) -> dict[str, JsonValue]:
        kind = "string" if isinstance(self.choices[0], str) else "integer"
        return {"type": kind, "enum": [*self.choices]}


class Text(Kind):
    """Any text."""

    name: ClassVar[str] = "text"
    allowed = "text"

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.error(value)
        if _SURROGATE.search(value):
            raise ValueError(f"{value!a} has half of a character; write the character itself")
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
class Parsed(Kind):
    """A value that a function reads from text.

    Args:
        type: The type of the value.
        parse: Raises ValueError, with the reason, for text that is not allowed.
        allowed: The text in words, as in "a size such as 1280x720".
        write: Returns the text for a value.
    """

    name: ClassVar[str] = "text"

    type: type
    parse: Callable[[str], object]
    allowed: str
    write: Callable[[Any], str] = str

    def check(self, value: object) -> object:
        if isinstance(value, self.type):
            return value
        if not isinstance(value, str):
            raise self.error(value)
        return self.parse(value)

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "string"}

    def written(self, value: object) -> str:
        return self.write(value)


@dataclass(frozen=True, slots=True)
class File(Kind):
    """The path of a file.

    Args:
        noun: The role of the file, as in "soundfont".
        remedy: Advice for when the file does not exist.
        must_exist: Reject the path of a missing file when a config file is read.
    """

    name: ClassVar[str] = "file"

    noun: str
    remedy: str = ""
    must_exist: bool = True

    @property
    def allowed(self) -> str:
        return f"the path of {'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    def check(self, value: object) -> Path:
        if not isinstance(value, (str, Path)):
            raise self.error(value)
        return Path(value)

    def check_exists(self, path: Path) -> None:
        """Raise ValueError if the file must exist but does not."""
        if self.must_exist and not path.is_file():
            raise ValueError(f"there is no {self.noun} {path}{self.remedy and ': '}{self.remedy}")

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "string"}

    def written(self, value: object) -> str:
        if isinstance(value, Path) and value.is_relative_to(PACKAGE):
            return f"{value.name} of the package"
        return Kind.written(self, value)


class Folder(File):
    """The path of a folder."""

    name: ClassVar[str] = "folder"

    def check_exists(self, path: Path) -> None:
        if self.must_exist and not path.is_dir():
            raise ValueError(f"there is no folder {path}{self.remedy and ': '}{self.remedy}")


def _plain(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}" if abs(number) < 1e6 else str(number)


def _is_quoted_number(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True
