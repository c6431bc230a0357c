"""Items: a prompt cut into concepts, numbers, keys, breaks and unknown words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from radio.prompt.concepts import CONCEPTS, Concept, Function
from radio.prompt.facets import Span
from radio.prompt.keys import Key, ModeReader, key_at
from radio.prompt.lexicon import Lexicon
from radio.prompt.numbers import number_at
from radio.prompt.tokens import Token
from radio.types import Mode

_COMMAS: Final = frozenset(",،，、")
_STOPS: Final = frozenset('.;:!?()/|؛؟。；：！？…"«»„“”[]')


@dataclass(frozen=True, slots=True)
class Break:
    """The end of a part of a sentence. `comma` is False at a full stop."""

    comma: bool


@dataclass(frozen=True, slots=True)
class Number:
    """A number whose meaning depends on its neighbors."""

    value: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """A word that is not in the lexicon."""


Meaning: TypeAlias = Concept | Break | Number | Key | Unknown


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of the prompt with one meaning."""

    meaning: Meaning
    span: Span

    def plays(self, *roles: str) -> bool:
        """Return whether the item is a function word with one of these roles."""
        return isinstance(self.meaning, Function) and self.meaning.role in roles


def items_of(tokens: Sequence[Token], lexicon: Lexicon) -> list[Item]:
    """Return the items of a prompt in order; at each place, the longest match wins."""
    languages = lexicon.languages(tokens)

    def concept_at(place: int) -> tuple[str, int]:
        return lexicon.longest(tokens, place, languages)

    def mode_at(place: int) -> tuple[Mode | None, int]:
        concept, end = concept_at(place)
        return (concept, end) if concept in ("minor", "major") else (None, place)  # type: ignore[return-value]

    items: list[Item] = []
    place = 0
    while place < len(tokens):
        meaning, end = _meaning(tokens, place, concept_at(place), mode_at)
        items.append(Item(meaning, tokens[place].span.to(tokens[end - 1].span)))
        place = end
    return items


def _meaning(tokens: Sequence[Token], place: int, entry: tuple[str, int], mode_at: ModeReader) -> tuple[Meaning, int]:
    concept, end = entry
    key = key_at(tokens, place, mode_at)
    if key is not None and key[1] >= end:
        return key
    number = number_at(tokens, place)
    if number is not None and number[1] > end:
        return Number(number[0]), number[1]
    if concept:
        return CONCEPTS[concept], end
    sign = tokens[place].text
    if sign in _COMMAS or sign in _STOPS:
        return Break(sign in _COMMAS), place + 1
    if tokens[place].kind == "sign":
        return Function("to" if sign in "-–—~" else "filler"), place + 1
    return Unknown(), place + 1
