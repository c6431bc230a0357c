"""Reading of YAML node by node, which collects every problem with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from radio.errors import SettingsError, did_you_mean

Reader: TypeAlias = Callable[[yaml.Node], object]
"""Returns the value of a node. Raises FaultError if the value is not allowed."""

MERGE: Final = "<<"
"""YAML's key for the settings of another mapping, which is not supported."""

_SURPRISING: Final = re.compile(r"[-+]?(0[0-9_]+|.*:.*)")
"""Numbers that YAML 1.1 reads in base 8, such as 010, or in base 60, such as 1:30."""

_EXPONENT: Final = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")
"""Numbers that YAML 1.1 reads as text if they lack a point or a sign, such as 3e-4."""


_Parser: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser of libyaml, which is ten times as fast, unless PyYAML was built without it."""


class FaultError(Exception):
    """A problem with one node."""

    def __init__(self, node: yaml.Node, message: str) -> None:
        self.node = node
        super().__init__(message)


class Reading:
    """A file that is being read. `problem` collects the problems, and `check` raises all of them.

    Args:
        path: The file.
        allow_missing: Only warn about missing files that the config names.
    """

    def __init__(self, path: Path, *, allow_missing: bool = False) -> None:
        self.path = path
        self.allow_missing = allow_missing
        self._problems: list[tuple[int, str]] = []
        self._warnings: list[tuple[int, str]] = []

    def root(self) -> yaml.Node:
        """Return the document. Raises SettingsError if there is none."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"{self.path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SettingsError(f"{self.path}: cannot be read: it is not UTF-8 text") from error
        try:
            root = _compose(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise SettingsError(f"{self.path}:{line}: not YAML: {error.problem or error.context}") from error
        except yaml.YAMLError as error:
            raise SettingsError(f"{self.path}: not YAML: {' '.join(str(error).split())}") from error
        if root is None:
            raise SettingsError(f"{self.path}:1: the file is empty")
        _join_surrogates(root)
        return root

    def problem(self, node: yaml.Node, message: str) -> None:
        self._problems.append((node.start_mark.line + 1, message))

    def warning(self, node: yaml.Node, message: str) -> None:
        self._warnings.append((node.start_mark.line + 1, message))

    @property
    def problems(self) -> int:
        """The number of problems so far."""
        return len(self._problems)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings so far, in line order."""
        return tuple(f"{self.path}:{line}: {text}" for line, text in sorted(self._warnings))

    def check(self) -> None:
        """Raise SettingsError with all problems in line order, if there are any."""
        if self._problems:
            raise SettingsError([f"{self.path}:{line}: {text}" for line, text in sorted(self._problems)])

    def pairs(self, node: yaml.Node, where: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        """Return the entries of a mapping. A repeated key is a problem; YAML would drop the first one silently."""
        if not isinstance(node, yaml.MappingNode) or not node.value:
            self.problem(node, f"{where}: this must be a mapping of names to values")
            return []
        seen: dict[str, int] = {}
        pairs = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.problem(key, f"{where}: a key must be a plain name")
            elif key.value in seen:
                self.problem(key, f"{where}: '{key.value}' is already on line {seen[key.value]}")
            else:
                seen[key.value] = key.start_mark.line + 1
                if key.value == MERGE:
                    self.problem(key, f"{where}: merges ({MERGE}) are not supported; write the settings out")
                else:
                    pairs.append((key, value))
        return pairs

    def mapping(self, node: yaml.Node, where: str, readers: Mapping[str, Reader]) -> dict[str, object]:
        """Return the values of all keys that are known and valid.

        Args:
            node: The mapping.
            where: Prefix of each problem; empty for the whole file.
            readers: The reader of each known key.
        """
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

    def entries(self, node: yaml.Node, where: str, reader: Reader) -> tuple[object, ...]:
        """Return the values of all valid entries of a list. Raises FaultError if the node is not a list."""
        if not isinstance(node, yaml.SequenceNode):
            raise FaultError(node, "this must be a list")
        values = []
        for entry in node.value:
            try:
                values.append(reader(entry))
            except FaultError as fault:
                self.problem(fault.node, f"{where}: {fault}")
        return tuple(values)


def _compose(text: str) -> yaml.Node | None:
    """Return the document. Raises YAMLError if the text is not YAML."""
    try:
        return yaml.compose(text, Loader=_Parser)
    except yaml.YAMLError:
        # libyaml rejects escapes of surrogates, and its messages are less specific.
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _join_surrogates(root: yaml.Node) -> None:
    r"""Join the halves of characters that are written as in JSON, such as "\uD83C\uDF19"; YAML reads them as two."""
    nodes, seen = [root], set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            node.value = node.value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        elif isinstance(node, yaml.MappingNode):
            nodes += [part for pair in node.value for part in pair]
        else:
            nodes += node.value


def value_of(node: yaml.Node) -> str | int | float | bool | None:
    """Return a single value in its own type.

    Numbers that YAML 1.1 reads in a base other than 10 are rejected. Numbers such as 3e-4, which it reads as text, are
    numbers here.
    """
    value = scalar(node)
    if isinstance(node, yaml.ScalarNode) and not node.style and _EXPONENT.fullmatch(str(node.value)):
        return float(node.value)
    if isinstance(value, (int, float)) and _SURPRISING.fullmatch(str(node.value)):
        raise FaultError(node, f"YAML reads {node.value} as {value}; write a plain decimal number")
    return value


def scalar(node: yaml.Node) -> str | int | float | bool | None:
    """Return a single value in the type that YAML gives it."""
    if not isinstance(node, yaml.ScalarNode):
        raise FaultError(node, "this must be a single value")
    try:
        value = yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise FaultError(node, f"'{node.value}' is not a valid YAML value") from error
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(node.value)  # a date: no setting is one


def text(node: yaml.Node) -> str:
    """Return a text as written, regardless of its type in YAML."""
    if scalar(node) is None or not str(node.value).strip():
        raise FaultError(node, "this is empty")
    return str(node.value)


def is_null(node: yaml.Node) -> bool:
    """Return whether a node is `null`."""
    return isinstance(node, yaml.ScalarNode) and scalar(node) is None


def checked(check: Callable[[Any], object], read: Callable[[yaml.Node], object]) -> Reader:
    """Return a reader that passes the result of `read` to `check` and turns its ValueError into a FaultError."""

    def reader(node: yaml.Node) -> object:
        value = read(node)
        try:
            return check(value)
        except ValueError as error:
            raise FaultError(node, str(error)) from error

    return reader
