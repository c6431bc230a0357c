"""What a terminal sends → the names of keys. Pure: bytes in, names out, at any split."""

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
"""Final letters of control sequences, with or without parameters: shift-left is left. Others have no meaning here."""
_CONTROLS: Final = {"\t": "tab", "\r": "enter", "\n": "enter", " ": "space", "\x1b": "escape", "\x0c": "redraw"}
_SEQUENCE: Final = re.compile(r"\x1b(?:\[\[[A-E]|\[[0-?]*[ -/]*([@-~])|O([!-~])|\][^\x07\x1b]*(?:\x07|\x1b\\))")
"""The Linux console's F keys; CSI, as ECMA-48 section 5.4 has it; SS3, which arrows are in application mode; OSC."""
_BEGUN: Final = re.compile(r"\x1b(?:\[(?:\[|[0-?]*[ -/]*)|O|\][^\x07\x1b]*\x1b?)?\Z")


class Keys:
    """Decodes one terminal's bytes."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The keys that are complete with `data`: a character as itself, others by name. Unknown ones are left out."""
        text = self._rest + self._decoder.decode(data)
        keys: list[str] = []
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                if _BEGUN.match(text, at):
                    break
                if sequence := _SEQUENCE.match(text, at):
                    at = sequence.end()
                    if name := _NAMES.get(sequence[1] or sequence[2] or ""):
                        keys.append(name)
                    continue
                at += 2  # alt and a key: not the key alone
                continue
            if name := _CONTROLS.get(text[at]):
                keys.append(name)
            elif text[at].isprintable():
                keys.append(text[at])
            at += 1
        self._rest = text[at:]
        return keys

    def pause(self) -> list[str]:
        """Nothing came for a while: an escape that stands alone was the key itself, and half a sequence is dropped."""
        alone = self._rest == "\x1b"
        self._rest = ""
        return ["escape"] if alone else []
