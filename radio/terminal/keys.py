"""A decoder from the bytes of a terminal to the names of keys. Pure; input may be split anywhere."""

from __future__ import annotations

import codecs
import re
from typing import Final

_NAMES: Final = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "Z": "back-tab",
}
"""Keys by the final letter of a control sequence. Parameters (shift) and other letters are ignored."""
_CONTROLS: Final = {
    "\t": "tab", "\r": "enter", "\n": "enter", " ": "space", "\x1b": "escape", "\x0c": "redraw",
    "\x7f": "backspace", "\b": "backspace",
}  # fmt: skip
_SEQUENCE: Final = re.compile(r"\x1b(?:\[\[[A-E]|\[[0-?]*[ -/]*([@-~])|O([!-~])|\][^\x07\x1b]*(?:\x07|\x1b\\))")
"""F keys of the Linux console; CSI (ECMA-48, section 5.4); SS3, used for arrows in application mode; OSC."""
_INCOMPLETE: Final = re.compile(r"\x1b(?:\[(?:\[|[0-?]*[ -/]*)|O|\][^\x07\x1b]*\x1b?)?\Z")


class Keys:
    """A decoder for the bytes of one terminal."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """Return the keys that `data` completes: characters as themselves, other keys by name. Skip unknown keys."""
        text = self._rest + self._decoder.decode(data)
        keys: list[str] = []
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                if _INCOMPLETE.match(text, at):
                    break
                if sequence := _SEQUENCE.match(text, at):
                    at = sequence.end()
                    if name := _NAMES.get(sequence[1] or sequence[2] or ""):
                        keys.append(name)
                    continue
                at += 2  # alt and a key, which is not the same as the key
                continue
            if name := _CONTROLS.get(text[at]):
                keys.append(name)
            elif text[at].isprintable():
                keys.append(text[at])
            at += 1
        self._rest = text[at:]
        return keys

    def flush(self) -> list[str]:
        """Return the escape key if its byte came last, or else drop an incomplete sequence. For use after a pause."""
        is_escape = self._rest == "\x1b"
        self._rest = ""
        return ["escape"] if is_escape else []
