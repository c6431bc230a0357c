"""Expected facets of the prompts in `prompts.txt`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from radio.prompt.concepts import AMBIENCES, PARTS
from radio.prompt.facets import IMPLIED, SCALES, Facet
from radio.prompt.grammar import read
from radio.prompt.wishes import Wishes, wishes_of

PROMPTS = Path(__file__).with_name("prompts.txt")


@dataclass
class Expectation:
    """A prompt, the facets that it must have, and others that it may have."""

    prompt: str
    needed: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)


def expectations() -> Iterator[Expectation]:
    for line in PROMPTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        prompt, _, wanted = line.partition(" | ")
        expectation = Expectation(prompt)
        for entry in (entry.strip() for entry in wanted.split(";")):
            (expectation.allowed if entry.startswith("?") else expectation.needed).append(entry.lstrip("?"))
        yield expectation


def halves() -> tuple[list[Expectation], list[Expectation]]:
    """Return two lists of alternate prompts: those used to build the grammar, and those held out."""
    every = list(expectations())
    return every[::2], every[1::2]


def judged(expectation: Expectation) -> tuple[list[str], list[str], int]:
    """Return the missing facets, the extra ones, and the number of correct ones."""
    wishes = wishes_of(read(expectation.prompt))
    missing = [entry for entry in expectation.needed if not _holds(entry, wishes)]
    extra = [
        f"{facet.aspect}={facet.value}"
        for facet in wishes.facets.values()
        if facet.weight > IMPLIED and not _expected(facet, expectation, wishes)
    ]
    extra += [f"not {text}" for text in _unknown(wishes) if not _expected_unknown(text, expectation)]
    return missing, extra, len(expectation.needed) - len(missing)


def _unknown(wishes: Wishes) -> list[str]:
    return [phrase.text.casefold() for phrase in wishes.phrases if phrase.reason]


def _expected_unknown(text: str, expectation: Expectation) -> bool:
    return any(entry.startswith("not ") and entry[4:] in text for entry in (*expectation.needed, *expectation.allowed))


def _expected(facet: Facet, expectation: Expectation, wishes: Wishes) -> bool:
    entries = [*expectation.needed, *expectation.allowed]
    if facet in wishes.silenced and facet.aspect in AMBIENCES:
        return True  # "only" silences textures, too, not just the band
    names = {part.rstrip("<>0123456789.").partition("=")[0] for entry in entries for part in entry.split("|")}
    if facet.aspect == "drums" and facet.value == "on" and "kit" in names:
        return True
    if facet.aspect == "keys" and facet.value == "on" and "density" in names:
        return True
    if facet.value == "on" and (facet.aspect in PARTS or f"{facet.aspect}.level" in names):
        return facet.aspect in names or any(name.startswith(f"{facet.aspect}.") for name in names)
    return any(_holds(entry, wishes) and facet.aspect in _aspects(entry) for entry in entries)


def _aspects(entry: str) -> list[str]:
    return [part.rstrip("<>0123456789.").partition("=")[0] for part in entry.split("|")]


def _holds(entry: str, wishes: Wishes) -> bool:
    if entry.startswith("not "):
        return any(entry[4:] in text for text in _unknown(wishes))
    aspect = ""
    for part in entry.split("|"):
        for sign in "=<>":
            if sign in part:
                aspect, _, limit = part.partition(sign)
                break
        else:
            sign, limit = "=", part
        if limit == "any" or _fits(wishes.facets.get(aspect), sign, limit):
            return True
    return False


def _fits(facet: Facet | None, sign: str, limit: str) -> bool:
    if facet is None:
        return False
    if sign == "=":
        if isinstance(facet.value, str):
            return facet.value == limit
        return not facet.relative and abs(facet.value - float(limit)) < 2.1 if limit[0].isdigit() else False
    if isinstance(facet.value, str):
        return False
    scale = SCALES.get(facet.aspect)
    if facet.relative:
        edge = 1.0 if scale is not None and scale.kind == "ratio" else 0.0
    else:
        edge = float(limit) if limit else (scale.neutral if scale else 0.0)
    return facet.value < edge if sign == "<" else facet.value > edge
