"""The command lines of README.md and docs/ in the form that a reader pastes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_PROGRAM: Final = re.compile(
    r"(\w+=\S+ )*(\S*/)?(radio|make|python|pip|pre-commit|curl|mpv|docker|git|unzip|mkdir|install|wrk|\.) ?"
)
_SETTING: Final = re.compile(r"[A-Z_]+=\S+$")
_INLINE: Final = re.compile(r"`((?:\S*/)?(?:radio|python -m \w+|make) [^`]*)`")
_FENCE: Final = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_NAME: Final = re.compile(r"(python -m \w+|\S*radio) \w+$")
"""The name of a command, without arguments."""
_PLACEHOLDERS: Final = re.compile(r"\b[A-Z]{3,}\b(?!=)|…|\.\.\.")


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, with its continuation lines joined."""

    page: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def programs(self) -> list[list[str]]:
        """The words of each program of the line, without assignments, redirections and comments."""
        lexer = shlex.shlex(self.text, posix=True, punctuation_chars="|&<>;")
        lexer.whitespace_split = True
        programs: list[list[str]] = [[]]
        words = iter(lexer)
        for word in words:
            if set(word) <= set("|&;"):
                programs.append([])
            elif set(word) <= set("<>"):
                next(words)
            elif programs[-1] or not _SETTING.match(word):
                programs[-1].append(word)
        return [words for words in programs if words]


def commands_of(page: Path) -> Iterator[Command]:
    """Yield the commands of a page: in fenced blocks marked `sh`, and in indented blocks."""
    fence: str | None = None
    number, lines = 0, page.read_text(encoding="utf-8").splitlines()
    while number < len(lines):
        line, start = lines[number], number + 1
        number += 1
        if line.strip().startswith("```"):
            fence = line.strip()[3:] if fence is None else None
            continue
        in_shell = fence == "sh" and bool(line.strip())
        if not in_shell and not (fence is None and line.startswith("    ") and _is_command(line.strip())):
            continue
        text = line.strip()
        while text.endswith("\\"):
            text = text[:-1] + lines[number].strip()
            number += 1
        yield Command(page, start, text)


def inline_commands_of(page: Path) -> Iterator[Command]:
    """Yield the commands in running text that have arguments and no placeholder."""
    text = _FENCE.sub(lambda match: "\n" * match[0].count("\n"), page.read_text(encoding="utf-8"))
    for match in _INLINE.finditer(text):
        words = " ".join(match[1].split())
        if not _PLACEHOLDERS.search(words) and not _NAME.match(words):
            yield Command(page, text[: match.start()].count("\n") + 1, words)


def _is_command(line: str) -> bool:
    return bool(_PROGRAM.match(line) or _SETTING.match(line))
