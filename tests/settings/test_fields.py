"""Declared settings: values are checked and converted, and descriptions follow from the declaration."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

import jsonschema
import pytest

from radio.errors import SettingsError
from radio.settings.containers import ListOf, PerKey, WordOr
from radio.settings.fields import (
    check,
    choice,
    declare,
    file,
    flag,
    json_schema,
    number,
    optional,
    section,
    setting,
    settings_of,
    text,
    whole,
)
from radio.settings.kinds import Kind, Number, Text, Whole, Word


def _initial(word: str) -> str:
    if not word.istitle():
        raise ValueError(f"'{word}' has no initial capital")
    return word


@dataclass(frozen=True, slots=True)
class Inner:
    depth: float = number(1, 0, 10, unit="m", help="depth")


@dataclass(frozen=True, slots=True)
class Sample:
    title: str = field(metadata=declare(Text(), help="title"))
    speed: float = number(2, 1, 5, unit="m/s", help="speed", shapes_music=True)
    share: float = number(0, 0, below=1, help="share")
    rate: float = number(1, above=0, help="rate")
    layers: int = whole(4, 1, help="layers")
    lanes: int = whole(1, 1, 8, unit="lanes", help="lanes")
    is_loud: bool = flag(False, help="loud")
    color: str = choice("red", ("red", "green"), help="color")
    note: str = text(help="note")
    font: Path = file(Path("font.sf2"), "font", remedy="install one", help="font")
    limit: int | None = optional(Whole(low=1, high=9), help="limit")
    names: tuple[str, ...] = setting(("Ada",), ListOf(Word(_initial, "a name"), least=1, most=2), help="names")
    loops: tuple[int, ...] = setting((), WordOr("none", (), ListOf(Whole(low=0), least=1), earlier="no"), help="loops")
    inner: Inner = section(Inner, help="inner")

    def __post_init__(self) -> None:
        check(self)


def test_a_declaration_contains_default_help_and_uses() -> None:
    speed = settings_of(Sample)["speed"]
    assert (speed.name, speed.default, speed.help, speed.uses) == ("speed", 2.0, "speed", {"shapes_music": True})
    assert settings_of(Sample)["title"].is_required
    assert list(settings_of(Sample)) == [item.name for item in fields(Sample)]


def test_values_are_converted_to_the_declared_type() -> None:
    sample = Sample("One", speed=3, layers=2.0, font="other.sf2", names=["Ada", "Bo"])
    assert isinstance(sample.speed, float)
    assert isinstance(sample.layers, int)
    assert sample.font == Path("other.sf2")
    assert sample.names == ("Ada", "Bo")
    assert sample.inner == Inner(depth=1.0)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("title", 3, "title: 3 is not text"),
        ("speed", 0.5, "speed: 0.5 is not a number from 1 to 5 m/s"),
        ("speed", "2", "speed: '2' is not a number from 1 to 5 m/s; write it without quotes"),
        ("speed", "fast", "speed: 'fast' is not a number from 1 to 5 m/s"),
        ("speed", True, "speed: true is not a number from 1 to 5 m/s"),
        ("speed", None, "speed: null is not a number from 1 to 5 m/s"),
        ("share", 1, "share: 1 is not a number at least 0 and below 1"),
        ("rate", 0, "rate: 0 is not a number above 0"),
        ("rate", float("inf"), "rate: inf is not a number above 0"),
        ("rate", float("nan"), "rate: nan is not a number above 0"),
        ("rate", 10**400, f"rate: {10**400} is not a number above 0"),
        ("layers", 0, "layers: 0 is not a whole number at least 1"),
        ("layers", 1.5, "layers: 1.5 is not a whole number at least 1"),
        ("lanes", 9, "lanes: 9 is not a whole number from 1 to 8 lanes"),
        ("is_loud", 1, "is_loud: 1 is not true or false"),
        ("color", "grean", "color: 'grean' is not one of red, green. Did you mean 'green'?"),
        ("color", 7, "color: 7 is not one of red, green"),
        ("font", 1, "font: 1 is not the path of a font"),
        ("limit", 10, "limit: 10 is not a whole number from 1 to 9"),
        ("names", "Ada", "names: 'Ada' is not a list with entries of this kind: a name"),
        ("names", (), "names: this must be a list with at least one entry"),
        ("names", ("A", "B", "C"), "names: this must be a list with at most 2 entries; it has 3"),
        ("names", ("ada",), "names: 'ada' has no initial capital"),
        ("loops", (-1,), "loops: -1 is not a whole number at least 0"),
        ("inner", {}, "inner: {} is not a mapping of settings"),
    ],
)
def test_an_invalid_value_is_named(name: str, value: object, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Sample(**{"title": "One", name: value})
    assert caught.value.problems == (problem,)


def test_all_problems_are_raised_together() -> None:
    with pytest.raises(SettingsError) as caught:
        Sample("One", speed=0, color="blue", inner=None)
    assert [line.split(":")[0] for line in caught.value.problems] == ["speed", "color", "inner"]


def test_the_json_schema_contains_range_unit_and_help() -> None:
    schemas = {item.name: json_schema(item) for item in fields(Sample)}
    assert schemas["speed"] == {
        "type": "number",
        "minimum": 1,
        "maximum": 5,
        "x-unit": "m/s",
        "description": "speed",
    }
    assert schemas["share"] == {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "description": "share"}
    assert schemas["color"] == {"type": "string", "enum": ["red", "green"], "description": "color"}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Number(low=0, high=20_000), 7_000.0, "7000"),
        (Number(low=0, high=1), 0.05, "0.05"),
        (Whole(low=0), 2**63 - 1, str(2**63 - 1)),
        (Text(), "", "none"),
        (ListOf(Text()), ("C", "Eb"), "[C, Eb]"),
        (ListOf(Text()), (), "none"),
        (WordOr("none", (), ListOf(Text())), (), "none"),
        (PerKey(("a", "b"), Number(), 1.0), {"a": 1.0, "b": 1.0}, "1"),
        (PerKey(("a", "b"), Number(), 1.0), {"a": 1.0, "b": 2.0}, "{a: 1, b: 2}"),
    ],
)
def test_values_are_written_as_in_yaml(kind: Kind, value: object, words: str) -> None:
    assert kind.written(value) == words


def test_one_value_may_apply_to_all_keys() -> None:
    burst = PerKey(("opus", "mp3"), Number(low=0, high=25), 22.0)
    assert burst.check(5) == {"opus": 5.0, "mp3": 5.0}
    assert burst.check({"mp3": 4}) == {"opus": 22.0, "mp3": 4.0}
    with pytest.raises(ValueError, match="there is no 'mp4'; the keys are opus, mp3"):
        burst.check({"mp4": 4})


def test_every_control_has_a_group_and_a_time_of_effect() -> None:
    from radio.settings.controls import CONTROLS, Controls

    for name, control in CONTROLS.items():
        assert control.group in ("music", "mix", "layers", "sampling"), name
        assert control.lands in ("bar", "loop", "mix"), name
        assert control.check(control.default) == getattr(Controls(), name)
        assert control.low < control.high
        assert control.help
