"""The lexicon: words and phrases of ten languages, and the concepts that they mean.

A file in `words/` has a line for each concept: `rain = "rain, rainy, drizzle*"`. An entry is a word or a phrase; a star
matches any ending.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from radio.prompt.concepts import CONCEPTS
from radio.prompt.tokens import Token, tokens_of

FOLDER: Final = Path(__file__).with_name("words")

_SERBIAN: Final = {
    "lj": "љ", "nj": "њ", "dž": "џ", "a": "а", "b": "б", "v": "в", "g": "г", "d": "д", "đ": "ђ", "e": "е", "ž": "ж",
    "z": "з", "i": "и", "j": "ј", "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "r": "р", "s": "с",
    "t": "т", "ć": "ћ", "u": "у", "f": "ф", "h": "х", "c": "ц", "č": "ч", "š": "ш",
}  # fmt: skip
"""Latin to Cyrillic letters; digraphs first."""


@dataclass(slots=True)
class _Node:
    """A node of the tree of entries, reached by the tokens before it."""

    concepts: dict[str, str] = field(default_factory=dict)
    """Concepts by language."""
    exact: dict[str, _Node] = field(default_factory=dict)
    stems: dict[str, _Node] = field(default_factory=dict)


class Lexicon:
    """Entries of all languages in one tree.

    Args:
        entries: Tuples of language, entry and concept.
    """

    def __init__(self, entries: Iterable[tuple[str, str, str]]) -> None:
        self._root = _Node()
        for language, words, concept in entries:
            self._add(language, words, concept)

    def languages(self, tokens: Sequence[Token]) -> list[str]:
        """Return the languages of a text, the one with the most words first; ties are in the order of entries."""
        counts: Counter[str] = Counter()
        place = 0
        while place < len(tokens):
            concepts, end = self._longest(tokens, place)
            counts.update(dict.fromkeys(concepts, end - place))
            place = max(end, place + 1)
        return [language for language, _ in counts.most_common()]

    def longest(self, tokens: Sequence[Token], start: int, languages: Sequence[str] = ()) -> tuple[str, int]:
        """Return the concept of the longest entry that begins at `start`, and its end; `("", start)` if there is none.

        If several languages have the entry, the first of `languages` wins.
        """
        concepts, end = self._longest(tokens, start)
        first = next((language for language in languages if language in concepts), "")
        return concepts.get(first) or next(iter(concepts.values()), ""), end

    def _longest(self, tokens: Sequence[Token], start: int) -> tuple[Mapping[str, str], int]:
        concepts: dict[str, str] = {}
        end = start
        nodes = [self._root]
        for place in range(start, len(tokens)):
            form = tokens[place].form
            nodes = [branch for node in nodes for branch in _branches(node, form)]
            if not nodes:
                break
            here: dict[str, str] = {}
            for node in nodes:
                here |= {language: concept for language, concept in node.concepts.items() if language not in here}
            if here:
                concepts, end = here, place + 1
        return concepts, end

    def _add(self, language: str, words: str, concept: str) -> None:
        node = self._root
        tokens = tokens_of(words)
        for token, following in zip(tokens, [*tokens[1:], None], strict=True):
            if token.form == "*":
                continue
            is_stem = following is not None and following.form == "*"
            node = (node.stems if is_stem else node.exact).setdefault(token.form, _Node())
        node.concepts.setdefault(language, concept)


def _branches(node: _Node, form: str) -> list[_Node]:
    """Return the nodes that a token leads to: the exact one first, then those of its longest stems."""
    exact = node.exact.get(form)
    stems = (node.stems.get(form[:length]) for length in range(len(form), 0, -1))
    return [branch for branch in (exact, *stems) if branch is not None]


@cache
def lexicon() -> Lexicon:
    """Return the lexicon of all languages. English entries come first."""
    entries: list[tuple[str, str, str]] = []
    for path in sorted(FOLDER.glob("*.toml"), key=lambda path: (path.stem != "en", path.stem)):
        for concept, words in read(path).items():
            for entry in words:
                entries.append((path.stem, entry, concept))
                if path.stem == "sr":
                    entries.append((path.stem, cyrillic(entry), concept))
    return Lexicon(entries)


def read(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the entries of a file by concept.

    Raises:
        ValueError: The file names a concept that does not exist.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    if unknown := [concept for concept in table if concept not in CONCEPTS]:
        raise ValueError(f"{path}: there is no concept {', '.join(unknown)}")
    return {concept: tuple(entry.strip() for entry in words.split(",")) for concept, words in table.items()}


def cyrillic(word: str) -> str:
    """Return a Serbian word in Cyrillic letters, converted from Latin ones."""
    for latin, letter in _SERBIAN.items():
        word = word.replace(latin, letter)
    return word
