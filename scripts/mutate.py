#!/usr/bin/env python3
"""Change the code in one place at a time, and report the changes that no test notices.

    scripts/mutate.py [--count N] [--seed N] [--line N] [PATH ...]

Draws N places below PATH (default: radio and train), each in a different function. Copies the tree to a temporary
folder, makes one change there, runs the tests of the module, and undoes the change. The tests of a module are those of
its mirror in `tests/`, then those that import it, then those of the folder. If all of them pass, the change is a
survivor: a test is missing, or the change has no effect. Exits with 1 if there are survivors.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COMPARISONS: Final = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
OPERATORS: Final = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.Mod: "*"}
FUNCTIONS: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
UNTESTED_CALLS: Final = re.compile(r"(print|super|parser\.add_argument|_?log(ger)?\.\w+)\b")
TIMEOUT: Final = 900
"""Seconds for one run of tests. A change that makes them hang counts as noticed."""


@dataclass(frozen=True)
class Mutation:
    """A change of the text between two positions of a file."""

    path: Path
    line: int
    start: int
    end: int
    replacement: str
    function: str

    def apply(self, source: bytes) -> bytes:
        return source[: self.start] + self.replacement.encode() + source[self.end :]

    def describe(self, source: bytes) -> str:
        before = " ".join(source[self.start : self.end].decode().split())
        return f"{self.path}:{self.line}: {before}  ->  {self.replacement}"


class Finder(ast.NodeVisitor):
    """The possible mutations of one file."""

    def __init__(self, path: Path) -> None:
        self.source = path.read_bytes()
        self.mutations: list[Mutation] = []
        self._path = path
        self._function = ""
        lines = self.source.splitlines(keepends=True)
        self._offsets = [0]
        for line in lines:
            self._offsets.append(self._offsets[-1] + len(line))
        self.visit(ast.parse(self.source))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer, self._function = self._function, f"{self._path}:{node.lineno}"
        for statement in node.body:
            self.visit(statement)
        self._function = outer

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 — the name that ast calls

    def visit_Compare(self, node: ast.Compare) -> None:
        if len(node.ops) == 1:
            self._replace(
                node, f"{self._text(node.left)} {COMPARISONS[type(node.ops[0])]} {self._text(node.comparators[0])}"
            )
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in OPERATORS and not isinstance(node.left, ast.Constant | ast.JoinedStr):
            self._replace_between(node.left, node.right, f" {OPERATORS[type(node.op)]} ")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        word = " and " if isinstance(node.op, ast.And) else " or "
        self._replace(node, f"({word.join(map(self._text, node.values[:-1]))})")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.USub):
            self._replace(node, f"({self._text(node.operand)})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace(node, str(not node.value))
        elif isinstance(node.value, int):
            self._replace(node, str(node.value + 1))
        elif isinstance(node.value, float):
            self._replace(node, repr(node.value * 1.5 or 0.5))

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            self._replace(node.func, FUNCTIONS[node.func.id])
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(value, ast.Call) and not UNTESTED_CALLS.match(self._text(value)):
            self._replace(node, "pass")
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Skip f-strings, since the positions inside them are wrong before Python 3.12."""

    def visit_Raise(self, node: ast.Raise) -> None:
        """Skip the messages of errors."""

    def visit_Assert(self, node: ast.Assert) -> None:
        """Skip assertions."""

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        start = self._offsets[node.lineno - 1] + node.col_offset
        return start, self._offsets[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)

    def _text(self, node: ast.expr | ast.stmt) -> str:
        start, end = self._span(node)
        return self.source[start:end].decode()

    def _replace(self, node: ast.expr | ast.stmt, replacement: str) -> None:
        self._add(node.lineno, *self._span(node), replacement)

    def _replace_between(self, left: ast.expr, right: ast.expr, replacement: str) -> None:
        start, end = self._span(left)[1], self._span(right)[0]
        if b"(" not in self.source[start:end] and b")" not in self.source[start:end]:
            self._add(left.end_lineno or 0, start, end, replacement)

    def _add(self, line: int, start: int, end: int, replacement: str) -> None:
        mutation = Mutation(self._path, line, start, end, replacement, self._function)
        try:
            ast.parse(mutation.apply(self.source))
        except SyntaxError:
            return
        if self._function:
            self.mutations.append(mutation)


def draw(paths: list[str], count: int, seed: int) -> list[Mutation]:
    """Return `count` mutations, at most one per function, drawn uniformly over the functions."""
    by_function: dict[str, list[Mutation]] = {}
    for path in sorted(file for name in paths for file in python_files(Path(name))):
        for mutation in Finder(path).mutations:
            by_function.setdefault(mutation.function, []).append(mutation)
    generator = random.Random(seed)
    functions = generator.sample(sorted(by_function), min(count, len(by_function)))
    return [generator.choice(by_function[function]) for function in functions]


def python_files(path: Path) -> Iterator[Path]:
    """Yield the Python files at or below `path`."""
    yield from path.rglob("*.py") if path.is_dir() else [path]


def tests_of(path: Path) -> list[list[str]]:
    """Return the groups of test paths to run for a module, nearest first."""
    parts = path.with_suffix("").parts
    folder = Path("tests", *(parts[1:-1] if parts[0] == "radio" else parts[:-1]))
    own = folder / f"test_{parts[-1]}.py"
    module, package = ".".join(parts), ".".join(parts[:-1])
    imports = re.compile(rf"(from {module} import|import {module}\b|from {package} import .*\b{parts[-1]}\b)")
    importing = [str(test) for test in sorted(Path("tests").rglob("*.py")) if imports.search(test.read_text())]
    importing = [test for test in importing if Path(test).name.startswith("test_") and test != str(own)]
    groups = [[str(own)] if own.exists() else [], importing, [str(folder)] if folder.is_dir() else []]
    return [group for group in groups if group]


def failing_test(tests: list[str]) -> str | None:
    """Run tests; return the name of one that fails, or None if all pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", *tests]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd()), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return "timeout"
    if result.returncode in (0, 5):  # 5: no tests
        return None
    failure = re.search(r"^(?:FAILED|ERROR) (\S+)", result.stdout, re.MULTILINE)
    return failure[1] if failure else result.stdout[-300:]


def main() -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(description="Report changes of the code that no test notices.")
    parser.add_argument("paths", nargs="*", default=["radio", "train"], metavar="PATH")
    parser.add_argument("--count", type=int, default=30, metavar="N", help="number of changes (default: 30)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the draw (default: 1)")
    parser.add_argument("--line", type=int, metavar="N", help="make only the changes of this line of PATH")
    parser.add_argument("--list", action="store_true", help="print the changes and run nothing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutate-") as name:
        tree = Path(name) / "tree"
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", "node_modules", ".*_cache", ".hypothesis")
        shutil.copytree(Path(), tree, ignore=ignored, symlinks=True)
        with contextlib.chdir(tree):
            if arguments.line:
                mutations = [m for m in Finder(Path(arguments.paths[0])).mutations if m.line == arguments.line]
            else:
                mutations = draw(arguments.paths, arguments.count, arguments.seed)
            if arguments.list:
                print(*(mutation.describe(mutation.path.read_bytes()) for mutation in mutations), sep="\n")
                return 0
            survivors = sum(survives(mutation) for mutation in mutations)
    print(f"{survivors} of {len(mutations)} survived")
    return survivors > 0


def survives(mutation: Mutation) -> bool:
    """Make the change, run the tests of its module, and undo it; report and return whether all of them pass."""
    source = mutation.path.read_bytes()
    mutation.path.write_bytes(mutation.apply(source))
    failures = (failing_test(tests) for tests in tests_of(mutation.path))
    failure = next((failure for failure in failures if failure), None)
    mutation.path.write_bytes(source)
    print(f"{'noticed ' if failure else 'SURVIVED'} {mutation.describe(source)}")
    if failure:
        print(f"         by {failure}", flush=True)
    return failure is None


if __name__ == "__main__":
    sys.exit(main())
