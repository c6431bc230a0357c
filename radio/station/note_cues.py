"""The upcoming notes that affect the mix."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Final

from radio.audio.cues import Cues
from radio.compose.drums import KICKS, is_firm_snare
from radio.types import Frames

_FIRM: Final = frozenset({"keys", "bass"})
"""Layers whose notes are never too faint to be heard, unlike those of hats and leads."""


class NoteCues:
    """Lists of the frames of upcoming notes, each in ascending order.

    kicks, bass_notes, snares: see `Cues`.
    strikes: frame and layer of the notes that the guard expects to hear.
    """

    def __init__(
        self, kicks: Iterable[Frames] = (), bass_notes: Iterable[Frames] = (), snares: Iterable[Frames] = ()
    ) -> None:
        self.kicks, self.bass_notes, self.snares = sorted(kicks), sorted(bass_notes), sorted(snares)
        self.strikes: list[tuple[Frames, str]] = []

    def add(self, frame: Frames, layer: str, note: int, velocity: int) -> None:
        """Add a note that is struck at `frame`."""
        kick = layer == "drums" and note in KICKS
        if kick:
            insort(self.kicks, frame)
        if kick or layer in _FIRM:
            insort(self.strikes, (frame, layer))
        if layer == "bass":
            insort(self.bass_notes, frame)
        if layer == "drums" and is_firm_snare(note, velocity):
            insort(self.snares, frame)

    def take(self, start: Frames, end: Frames) -> tuple[Cues, set[str]]:
        """Remove the notes struck before `end`, in the block that begins at `start`.

        Returns:
            The cues of the block, and the layers that must be heard in it.
        """
        cues = Cues(*(_take(frames, start, end) for frames in (self.kicks, self.bass_notes, self.snares)))
        due = bisect_left(self.strikes, (end, ""))
        layers = {layer for _, layer in self.strikes[:due]}
        del self.strikes[:due]
        return cues, layers


def _take(frames: list[Frames], start: Frames, end: Frames) -> list[Frames]:
    """Remove the frames before `end`, and return them relative to `start`."""
    due = bisect_left(frames, end)
    taken = [frame - start for frame in frames[:due]]
    del frames[:due]
    return taken
