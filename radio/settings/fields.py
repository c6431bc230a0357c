"""Dataclass fields that declare a setting once: its values, default, meaning and uses.

    @dataclass(frozen=True)
    class Tone:
        room_db: float = number(-6, -60, 12, unit="dB", help="level of the room around keys and drums")

        def __post_init__(self) -> None:
            check(self)

The checks of a value, the YAML reader (`radio.settings.yaml_fields`), the JSON schema of the API, `radio controls`, and
the tables of docs/settings.md are derived from such declarations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, TypedDict, TypeVar, Unpack

from radio.errors import SettingsError
from radio.settings.containers import Nullable, Section
from radio.settings.kinds import Choice, File, Flag, Folder, Kind, Number, Text, Whole
from radio.types import JsonValue

Lands: TypeAlias = Literal["bar", "loop", "mix"]
"""The start of a control change: the next bar line, the next chord loop, or immediately in the mix."""
Group: TypeAlias = Literal["music", "mix", "layers", "sampling"]
"""Controls that are together on the page, and in the terminal if it has them."""

_KEY: Final = "setting"
_Choice = TypeVar("_Choice", bound=str | int)
_Settings = TypeVar("_Settings")


class Uses(TypedDict, total=False):
    """The uses of a setting, all optional.

    shapes_music: The history records the value, because the music or its sound depends on it.
    lands: Where a change of a control takes effect.
    group: The group of a control.
    logarithmic: A control is a frequency, which the terminal changes by a part of an octave.
    """

    shapes_music: bool
    lands: Lands
    group: Group
    logarithmic: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """A declared setting."""

    name: str
    kind: Kind
    help: str
    default: object
    """`MISSING` if a value is required."""
    uses: Uses

    @property
    def is_required(self) -> bool:
        return self.default is MISSING

    @property
    def default_text(self) -> str:
        """The default as written in YAML."""
        return "required" if self.is_required else self.kind.written(self.default)

    def check(self, value: object) -> object:
        """Return `value` in its own type. Raises ValueError, with the setting's name, if it is not allowed."""
        try:
            return self.kind.check(value)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from error

    def json_schema(self) -> dict[str, JsonValue]:
        """Return the JSON schema of a value (draft 2020-12)."""
        return {**self.kind.schema(), "description": self.help}


def settings_of(owner: type) -> Mapping[str, Setting]:
    """Return the settings that a dataclass declares, by name, in the order of its fields."""
    declared = {item.name: _setting(item) for item in fields(owner) if _KEY in item.metadata}
    return MappingProxyType(declared)


def settings_in(kind: Section) -> Mapping[str, Setting]:
    """Return the settings that a mapping can contain, by their names in it."""
    settings = dict(settings_of(kind.owner))
    for prefix, member in kind.members.items():
        for name, setting in settings_of(member).items():
            settings[f"{prefix}{name}"] = replace(setting, name=f"{prefix}{name}")
    return MappingProxyType(settings)


def json_schema(item: Field[Any]) -> dict[str, JsonValue]:
    """Return the JSON schema of the values of a dataclass field that declares a setting."""
    return _setting(item).json_schema()


def from_word(setting: Setting, word: str) -> object:
    """Return the value of a word on the command line. Raises ValueError if it is not allowed."""
    return setting.check(word if setting.kind.name == "text" else plain_value(word))


def plain_value(word: str) -> object:
    """Return the number or the bool that a word represents, or else the word itself."""
    with suppress(ValueError):
        value: object = json.loads(word.lower())
        if not isinstance(value, (dict, list)):
            return value
    return word


def check(instance: Any) -> None:  # any dataclass
    """Check every setting of a new dataclass instance, and convert each value to its own type.

    Raises:
        SettingsError: Values are not allowed; the message has a line for each.
    """
    problems = []
    for name, setting in settings_of(type(instance)).items():
        try:
            object.__setattr__(instance, name, setting.check(getattr(instance, name)))
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError(problems)


def declare(kind: Kind, *, help: str, **uses: Unpack[Uses]) -> Mapping[str, object]:
    """Return the metadata of a field of any kind: `title: str = field(metadata=declare(Text(), help="…"))`."""
    return {_KEY: (kind, help, uses)}


def setting(default: Any, kind: Kind, *, help: str, **uses: Unpack[Uses]) -> Any:  # of the field's type
    """Declare a setting of any kind."""
    return field(default=default, metadata=declare(kind, help=help, **uses))


def number(
    default: float,
    low: float | None = None,
    high: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
    unit: str = "",
    help: str,
    **uses: Unpack[Uses],
) -> float:
    """Declare a number from `low` to `high`, or one that is greater than `above` and less than `below`."""
    kind = Number(low=low, high=high, above=above, below=below, unit=unit)
    value: float = setting(float(default), kind, help=help, **uses)
    return value


def whole(
    default: int,
    low: int | None = None,
    high: int | None = None,
    *,
    unit: str = "",
    help: str,
    **uses: Unpack[Uses],
) -> int:
    """Declare a whole number from `low` to `high`."""
    value: int = setting(default, Whole(low=low, high=high, unit=unit), help=help, **uses)
    return value


def flag(default: bool, *, help: str, **uses: Unpack[Uses]) -> bool:
    """Declare a setting that is true or false."""
    value: bool = setting(default, Flag(), help=help, **uses)
    return value


def choice(default: _Choice, choices: Sequence[_Choice], *, help: str, **uses: Unpack[Uses]) -> _Choice:
    """Declare a choice of words or whole numbers."""
    value: _Choice = setting(default, Choice(tuple(choices)), help=help, **uses)
    return value


def text(default: str = "", *, help: str, **uses: Unpack[Uses]) -> str:
    """Declare a text."""
    value: str = setting(default, Text(), help=help, **uses)
    return value


def file(default: Path, noun: str, *, remedy: str = "", help: str, **uses: Unpack[Uses]) -> Path:
    """Declare the path of a file. `noun` names its role; `remedy` says what to do if there is no such file."""
    value: Path = setting(default, File(noun, remedy), help=help, **uses)
    return value


def folder(default: Path, noun: str, *, remedy: str = "", help: str, **uses: Unpack[Uses]) -> Path:
    """Declare the path of a folder."""
    value: Path = setting(default, Folder(noun, remedy), help=help, **uses)
    return value


def optional(kind: Kind, *, help: str, **uses: Unpack[Uses]) -> Any:  # of the field's type, or None
    """Declare a setting whose default is `null`."""
    return setting(None, Nullable(kind), help=help, **uses)


def section(owner: type[_Settings], *, help: str, **uses: Unpack[Uses]) -> _Settings:
    """Declare a section: a dataclass of settings, which has its own defaults."""
    value: _Settings = field(default_factory=owner, metadata=declare(Section(owner), help=help, **uses))
    return value


def _setting(item: Field[Any]) -> Setting:
    kind, words, uses = item.metadata[_KEY]
    default = item.default
    if default is MISSING and item.default_factory is not MISSING:
        default = item.default_factory()
    return Setting(item.name, kind, words, default, uses)
