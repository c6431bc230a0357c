"""Tokens: the words, numbers and signs of a prompt, in the form that the lexicon uses.

Chinese and Japanese are written without spaces, so each character is a token, and the lexicon finds the longest
matching entry.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from radio.prompt.facets import Span

TokenKind: TypeAlias = Literal["word", "character", "number", "sign"]

_CJK: Final = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f"
_TOKEN: Final = re.compile(
    rf"(?P<number>\d+(?:[.,]\d+)?(?!\d))|(?P<character>[{_CJK}])|(?P<word>(?:(?![{_CJK}])[^\W\d_])+(?:['’](?:(?![{_CJK}])[^\W\d_])+)*)"
    r"|(?P<sign>[^\s\w]|_)"
)
_LETTERS: Final = str.maketrans(
    {
        "ي": "ی",
        "ك": "ک",
        "ۀ": "ه",
        "ة": "ه",
        "أ": "ا",
        "إ": "ا",
        "ё": "е",
        "đ": "dj",
        "ß": "ss",
        "’": "'",
        "\u200c": " ",
    }
)
_HYPHENS: Final = frozenset("-‐‑–—")
_MARKS: Final = re.compile("[\u0300-\u036f\u064b-\u0652]")
"""Accents, and the vowel signs of Arabic script."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number, a sign, or a character of Chinese or Japanese.

    text: as written. form: in lower case, without accents. span: its place in the prompt.
    """

    text: str
    form: str
    kind: TokenKind
    span: Span

    @property
    def number(self) -> float:
        """The value of a number."""
        digits = "".join(str(unicodedata.decimal(sign, sign)) for sign in self.text)
        return float(digits.replace(",", "."))


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text, in order."""
    plain = text.replace("\u200c", " ")  # joins the parts of a Persian word
    tokens = [
        Token(match[0], form_of(match[0]), match.lastgroup, Span(*match.span()))  # type: ignore[arg-type]  # a kind
        for match in _TOKEN.finditer(plain)
    ]
    return [token for place, token in enumerate(tokens) if token.text not in _HYPHENS or _is_range(tokens, place)]


def _is_range(tokens: list[Token], place: int) -> bool:
    """Return whether a hyphen is between two numbers; any other hyphen separates words like a space."""
    neighbors = tokens[place - 1 : place] + tokens[place + 1 : place + 2]
    return [token.kind for token in neighbors] == ["number", "number"]


def form_of(word: str) -> str:
    """Return the form of a word in the lexicon: in lower case, with narrow characters, and without accents."""
    small = unicodedata.normalize("NFKC", word).casefold().translate(_LETTERS)
    if any("\u3040" <= sign <= "\u30ff" for sign in small):
        return small  # the marks of Japanese letters are not accents
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", small)))
