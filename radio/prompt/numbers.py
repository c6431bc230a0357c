"""Numbers in words: English from one to two hundred, and Chinese and Japanese ones below a thousand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from radio.prompt.tokens import Token

_ONES: Final[Mapping[str, int]] = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS: Final[Mapping[str, int]] = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_DECADES: Final[Mapping[str, int]] = {
    "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80, "nineties": 90,
}  # fmt: skip
_PLACES: Final = {"low": 2, "lower": 2, "early": 2, "mid": 5, "middle": 5, "high": 8, "upper": 8, "late": 8}
_DIGITS: Final[Mapping[str, int]] = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2}


def number_at(tokens: Sequence[Token], start: int) -> tuple[float, int] | None:
    """Return the number that begins at `start`, and its end, or None if there is none."""
    token = tokens[start]
    if token.kind == "number":
        return token.number, start + 1
    if token.kind == "character":
        return _from_characters(tokens, start)
    return _decade(tokens, start) or _english(tokens, start)


def _form(tokens: Sequence[Token], place: int) -> str:
    return tokens[place].form if place < len(tokens) else ""


def _english(tokens: Sequence[Token], start: int) -> tuple[float, int] | None:
    place, value = start, 0
    if _form(tokens, place + 1) == "hundred" and (tokens[place].form == "a" or tokens[place].form in _ONES):
        value, place = 100 * _ONES.get(tokens[place].form, 1), place + 2
        if _form(tokens, place) == "and" and _form(tokens, place + 1) in {**_ONES, **_TENS}:
            place += 1
    if (tens := _TENS.get(_form(tokens, place))) is not None:
        value, place = value + tens, place + 1
    if (unit := _ONES.get(_form(tokens, place))) is not None:
        value, place = value + unit, place + 1
    return (value, place) if place > start else None


def _decade(tokens: Sequence[Token], start: int) -> tuple[float, int] | None:
    """Read "low seventies" as 72 and "seventies" as 75."""
    place = start + (tokens[start].form in _PLACES)
    decade = _DECADES.get(_form(tokens, place))
    if decade is None:
        return None
    return decade + _PLACES.get(tokens[start].form, 5), place + 1


def _from_characters(tokens: Sequence[Token], start: int) -> tuple[float, int] | None:
    value, digit, place = 0, 0, start
    while (form := _form(tokens, place)) in _DIGITS or form in ("十", "百"):
        if form in _DIGITS:
            digit = _DIGITS[form]
        else:
            value += max(digit, 1) * (10 if form == "十" else 100)
            digit = 0
        place += 1
    # A single digit is more often a word: 一 begins 一首, a piece.
    return (value + digit, place) if place > start + 1 or value else None
