"""Text for a terminal that shows how a prompt was understood."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len

from radio.prompt.changes import ControlValue, PhraseChanges, Understanding

_LONGEST = 40


def lines_of(understanding: Understanding) -> list[str]:
    """Return a line for each phrase: its words, the values that it sets, and remarks."""
    if not understanding.phrases:
        return ["nothing was understood"]
    words = [_shortened(phrase.text) for phrase in understanding.phrases]
    widths = [cell_len(word) for word in words]
    lines = [
        f"{word}{' ' * (max(widths) - width)}  {_meaning(phrase)}"
        for word, width, phrase in zip(words, widths, understanding.phrases, strict=True)
    ]
    if not understanding.compares and any(not phrase.known for phrase in understanding.phrases):
        lines.append("(only words in the lexicon are known; the extra `text` lets the radio compare others by meaning)")
    return lines


def values_of(changes: Mapping[str, ControlValue]) -> str:
    """Return control values in the form of `--set`, separated by spaces."""
    return " ".join(f"{name}={_value(value)}" for name, value in changes.items())


def _meaning(phrase: PhraseChanges) -> str:
    notes = "; ".join(phrase.notes)
    if not phrase.understood:
        return f"not understood: {notes}"
    values = values_of(phrase.changes) or "nothing to change"
    return f"{values} ({notes})" if notes else values


def _value(value: ControlValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = value if isinstance(value, str) else f"{value:g}"
    return f"'{text}'" if " " in text else text


def _shortened(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
