"""Musical keys in words: D minor, F#m, B flat, d-Moll, la mineur, ре минор, ニ短調."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from radio.prompt.tokens import Token
from radio.types import Mode

ModeReader = Callable[[int], tuple[Mode | None, int]]
"""Returns the mode that the words at a place name, if any, and the place after them."""

_NAMED: Final[Mapping[str, str]] = {
    **dict(zip(("do", "re", "mi", "fa", "sol", "la", "si"), "CDEFGAB", strict=True)),
    **dict(zip(("до", "ре", "ми", "фа", "соль", "ля", "си"), "CDEFGAB", strict=True)),
    **dict(zip(("دو", "ر", "می", "فا", "سل", "لا", "سی"), "CDEFGAB", strict=True)),
    **dict(zip("ハニホヘトイロ", "CDEFGAB", strict=True)),
}
"""Names that are also ordinary words: they need a mode next to them."""
_GERMAN: Final[Mapping[str, str]] = {
    "b": "Bb", "h": "B", "cis": "C#", "des": "Db", "dis": "D#", "es": "Eb", "fis": "F#", "ges": "Gb", "gis": "G#",
    "as": "Ab", "ais": "A#",
}  # fmt: skip
_GERMAN_MODES: Final = ("moll", "dur", "mol", "мол", "дур")
_SHARP: Final = frozenset({"#", "♯", "sharp", "diese", "sostenido", "sustenido", "диез", "دیز"})
_FLAT: Final = frozenset({"♭", "flat", "bemol", "бемоль", "بمل"})
_BEFORE: Final = frozenset({"in", "key", "en", "em", "в"})
_OTHER_NOUNS: Final = frozenset({"key", "mood", "mode", "feel", "chord", "chords", "scale"})


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its tonic, such as Eb, and its mode, if one was named."""

    tonic: str
    mode: Mode | None


def key_at(tokens: Sequence[Token], start: int, mode_at: ModeReader) -> tuple[Key, int] | None:
    """Return the key that begins at `start`, and its end, or None if there is none."""
    tonic, end, attached = _tonic(tokens, start)
    if not tonic:
        return None
    if attached:
        return Key(tonic, attached), end
    mode, after = mode_at(end) if end < len(tokens) else (None, end)
    form = tokens[start].form
    if mode is None:
        # A letter without a mode is a key only after "in" or "key of"; "a" is an article.
        before = [token.form for token in tokens[max(0, start - 2) : start] if token.form not in (":", "of")]
        alone = tokens[start].text[0].isupper() and before[-1:] and before[-1] in _BEFORE
        return (Key(tonic, None), end) if alone and form not in _NAMED else None
    if form == "a" and tokens[start].text == "a" and after < len(tokens) and tokens[after].form in _OTHER_NOUNS:
        return None
    if form in _GERMAN and tokens[end].form in _GERMAN_MODES:
        tonic = _GERMAN[form]
    return Key(tonic, mode), after


def _tonic(tokens: Sequence[Token], start: int) -> tuple[str, int, Mode | None]:
    """Return a tonic, its end, and the mode that is attached to it, as in Dm."""
    text, form = tokens[start].text, tokens[start].form
    following = tokens[start + 1].form if start + 1 < len(tokens) else ""
    attached: Mode | None = None
    if form in _NAMED or form in _GERMAN:
        tonic, end = _NAMED.get(form) or _GERMAN[form], start + 1
        if form == "b":
            tonic = "B"
    elif len(form) <= 5 and form[:1] in "abcdefg" and form[1:] in ("", "b", "m", "bm", "min", "maj", "bmin", "bmaj"):
        if form[1:] and not text[0].isupper():
            return "", start, None
        tonic, end = form[0].upper() + ("b" if form[1:2] == "b" else ""), start + 1
        attached = {"m": "minor", "min": "minor", "maj": "major"}.get(form[1:].removeprefix("b"))  # type: ignore[assignment]
    else:
        return "", start, None
    if attached is None and following in _SHARP:
        tonic, end = f"{tonic}#", end + 1
        if end < len(tokens) and tokens[end].text == "m":
            attached, end = "minor", end + 1
    elif attached is None and following in _FLAT:
        tonic, end = f"{tonic}b", end + 1
    return tonic, end, attached
