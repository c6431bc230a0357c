"""YAML read node by node: values go out, problems gather with the lines they stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import yaml

from radio.errors import SettingsError, did_you_mean

Reader: TypeAlias = Callable[[yaml.Node], object]
"""Turns a node into a value; raises FaultError where it cannot."""

MERGE: Final = "<<"
"""YAML's key for the settings of another mapping; we do not read it."""


class FaultError(Exception):
    """What is wrong with one node."""

    def __init__(self, node: yaml.Node, message: str) -> None:
        self.node = node
        super().__init__(message)


class Reading:
    """One file being read. A problem never stops the reading: `check` raises them all at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._problems: list[tuple[int, str]] = []

    def root(self) -> yaml.Node:
        """The document. Raises SettingsError where there is none."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"{self.path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SettingsError(f"{self.path}: cannot be read: it is not UTF-8 text") from error
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise SettingsError(f"{self.path}:{line}: not YAML: {error.problem or error.context}") from error
        except yaml.YAMLError as error:
            raise SettingsError(f"{self.path}: not YAML: {' '.join(str(error).split())}") from error
        if root is None:
            raise SettingsError(f"{self.path}:1: the file is empty")
        return root

    def problem(self, node: yaml.Node, message: str) -> None:
        self._problems.append((node.start_mark.line + 1, message))

    @property
    def problems(self) -> int:
        """How many were found so far."""
        return len(self._problems)

    def check(self) -> None:
        """Raise SettingsError with every problem, in the order of lines."""
        if self._problems:
            raise SettingsError([f"{self.path}:{line}: {text}" for line, text in sorted(self._problems)])

    def pairs(self, node: yaml.Node, where: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        """The entries of a mapping; a key given twice is a problem, for YAML would drop the first in silence."""
        if not isinstance(node, yaml.MappingNode) or not node.value:
            self.problem(node, f"{where}: this must be a mapping of names to values")
            return []
        seen: dict[str, int] = {}
        pairs = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.problem(key, f"{where}: a key must be a plain name")
            elif key.value in seen:
                self.problem(key, f"{where}: '{key.value}' was given on line {seen[key.value]} already")
            else:
                seen[key.value] = key.start_mark.line + 1
                if key.value == MERGE:
                    self.problem(key, f"{where}: merges ({MERGE}) are not read: write the settings out")
                else:
                    pairs.append((key, value))
        return pairs

    def mapping(self, node: yaml.Node, where: str, readers: Mapping[str, Reader]) -> dict[str, object]:
        """Values of the keys that are known and right; `where` goes before each problem, empty for the whole file."""
        prefix = f"{where}: " if where else ""
        values: dict[str, object] = {}
        for key, value in self.pairs(node, where or "the file"):
            reader = readers.get(key.value)
            if reader is None:
                hint = did_you_mean(key.value, list(readers)) or f" Known: {', '.join(readers)}."
                self.problem(key, f"{prefix}there is no setting '{key.value}'.{hint}")
                continue
            try:
                values[key.value] = reader(value)
            except FaultError as fault:
                self.problem(fault.node, f"{prefix}{key.value}: {fault}")
        return values

    def each(self, node: yaml.Node, where: str, reader: Reader) -> tuple[object, ...]:
        """Values of the entries of a list that are right; raises FaultError for what is no list, or an empty one."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise FaultError(node, "this must be a list with at least one entry")
        values = []
        for entry in node.value:
            try:
                values.append(reader(entry))
            except FaultError as fault:
                self.problem(fault.node, f"{where}: {fault}")
        return tuple(values)


def value_of(node: yaml.Node) -> object:
    """What the node stands for: a scalar in its own type, or a tuple of such."""
    if isinstance(node, yaml.SequenceNode):
        return tuple(value_of(each) for each in node.value)
    return scalar(node)


def scalar(node: yaml.Node) -> str | int | float | bool | None:
    """A single value in the type that YAML gives it."""
    if not isinstance(node, yaml.ScalarNode):
        raise FaultError(node, "this must be a single value")
    try:
        value = yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise FaultError(node, f"'{node.value}' is no value that YAML knows") from error
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(node.value)  # a date, say: nothing of ours is one


def text(node: yaml.Node) -> str:
    """Words as they are written, whatever YAML takes them for."""
    if scalar(node) is None or not str(node.value).strip():
        raise FaultError(node, "this is empty")
    return str(node.value)


def optional(reader: Reader) -> Reader:
    """`null`, or what `reader` takes."""
    return lambda node: None if isinstance(node, yaml.ScalarNode) and scalar(node) is None else reader(node)


def flag(node: yaml.Node) -> bool:
    """`true` or `false`."""
    value = scalar(node)
    if not isinstance(value, bool):
        raise FaultError(node, f"'{text(node)}' is not true or false")
    return value


def whole(low: int, high: int) -> Reader:
    """A whole number in a range, both ends included."""

    def read(node: yaml.Node) -> int:
        value = scalar(node)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise FaultError(node, f"'{text(node)}' is not a whole number from {low} to {high}")
        return value

    return read


def number(low: float, high: float) -> Reader:
    """A number in a range, both ends included."""

    def read(node: yaml.Node) -> float:
        value = scalar(node)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise FaultError(node, f"'{text(node)}' is not a number from {low:g} to {high:g}")
        return float(value)

    return read


def one_of(names: tuple[str, ...]) -> Reader:
    """One of the given words."""

    def read(node: yaml.Node) -> str:
        word = text(node)
        if word not in names:
            hint = did_you_mean(word, names) or f" Known: {', '.join(names)}."
            raise FaultError(node, f"there is no '{word}'.{hint}")
        return word

    return read


def accepted(parse: Callable[[str], object]) -> Reader:
    """A word that `parse` takes, kept as it was written."""

    def read(node: yaml.Node) -> str:
        word = text(node)
        try:
            parse(word)
        except ValueError as error:
            raise FaultError(node, str(error)) from error
        return word

    return read
