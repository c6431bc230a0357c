#!/usr/bin/env python3
"""Check the prose of the code: docstring openings, words, and variable names.

    python scripts/check_prose.py [--brief] [PATH ...]

Prints each finding with its line and a summary; exits with 1 if a limit is exceeded. With --brief, findings are printed
only in that case. Limits:

- docstrings that open with a question word: at most 1 %;
- odd words in code, docs or the page: none;
- vague variable names: at most 2 in 1,000.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

QUESTION: Final = re.compile(r"(What|Who|Whose|How|Whether|Where|When|Which|Why)\b")
WORDS: Final = re.compile(
    r"(?<!['\"`])\b(nobody|whoever|whomever|anew|learnt|for ever|foretold|whence|thence)\b(?!['\"`])", re.IGNORECASE
)
"""Words outside quotes: a quoted one may be a former spelling that is still read."""
VAGUE: Final = frozenset(
    {
        "found", "told", "given", "taken", "those", "these", "each", "kept", "its", "said", "asked", "wanted", "heard",
        "what", "thing", "things", "gone", "ones", "others", "here", "there", "it", "them", "that",
    }
)  # fmt: skip
TEXT: Final = {".py", ".md", ".js", ".html", ".css", ".yaml", ".toml", ".c", ".h", ".cu", ".cuh", ".svg", ""}
QUESTION_LIMIT, VAGUE_LIMIT = 0.01, 0.002


class Finding(NamedTuple):
    """A finding, printed as `path:line: message`."""

    path: Path
    line: int
    message: str


def tracked(paths: list[str]) -> list[Path]:
    """Return the text files below `paths` that git tracks."""
    listing = subprocess.run(["git", "ls-files", "--", *paths], capture_output=True, text=True, check=True).stdout
    own = {"check_prose.py", "LICENSE"}
    return [
        path
        for path in map(Path, listing.splitlines())
        if path.suffix in TEXT and path.name not in own and "OFL" not in path.name and path.is_file()
    ]


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring, including those of attributes."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            if (
                isinstance(statement, ast.Expr)
                and isinstance(statement.value, ast.Constant)
                and isinstance(statement.value.value, str)
            ):
                yield statement.lineno, statement.value.value


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each variable where it is bound: assignments, loops and arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def main() -> int:
    """Check the files and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("paths", nargs="*", help="files or folders [all that git tracks]")
    parser.add_argument("--brief", action="store_true", help="print findings only if a limit is exceeded")
    arguments = parser.parse_args()
    paths = tracked(arguments.paths)
    openings: list[Finding] = []
    words: list[Finding] = []
    vague: list[Finding] = []
    docstring_count = name_count = 0
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            words += [Finding(path, number, f"word '{match[0]}'") for match in WORDS.finditer(line)]
        if path.suffix != ".py":
            continue
        tree = ast.parse(text)
        for number, docstring in docstrings(tree):
            docstring_count += 1
            if QUESTION.match(docstring.strip()):
                openings.append(Finding(path, number, f"docstring opens with '{docstring.strip().split()[0]}'"))
        for number, name in names(tree):
            name_count += 1
            if name.lstrip("_") in VAGUE:
                vague.append(Finding(path, number, f"vague name '{name}'"))
    opening_share = len(openings) / max(1, docstring_count)
    vague_share = len(vague) / max(1, name_count)
    fails = opening_share > QUESTION_LIMIT or vague_share > VAGUE_LIMIT or bool(words)
    for finding in sorted([*openings, *words, *vague]) if fails or not arguments.brief else []:
        print(f"{finding.path}:{finding.line}: {finding.message}")
    print(
        f"{len(openings)} of {docstring_count} docstrings open with a question word ({opening_share:.1%}), "
        f"{len(vague)} of {name_count} names are vague ({1000 * vague_share:.1f} in 1,000), {len(words)} odd words"
    )
    return int(fails)


if __name__ == "__main__":
    sys.exit(main())
