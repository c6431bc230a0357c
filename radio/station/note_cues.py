"""The notes to come that the mix depends on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from radio.compose.drums import KICKS, is_firm_snare
from radio.types import Frames

_FIRM: Final = frozenset({"keys", "bass"})
"""Layers whose notes are never too faint to be heard, as those of hats and leads can be."""


class Cues(NamedTuple):
    """Notes that are struck within a block.

    kicks, bass_notes, snares: frames from the start of the block.
    layers: those that must be heard.
    """

    kicks: list[Frames]
    bass_notes: list[Frames]
    layers: set[str]
    snares: list[Frames]


@dataclass(slots=True)
class NoteCues:
    """Frames of the notes to come.

    kicks: these duck the other layers.
    bass_notes, snares: these duck the keys.
    strikes: frame and layer of the notes by which the guard knows that there must be sound.
    """

    kicks: list[Frames] = field(default_factory=list)
    bass_notes: list[Frames] = field(default_factory=list)
    snares: list[Frames] = field(default_factory=list)
    strikes: list[tuple[Frames, str]] = field(default_factory=list)

    def add(self, frame: Frames, layer: str, note: int, velocity: int) -> None:
        """Add a note that is struck at `frame`."""
        kick = layer == "drums" and note in KICKS
        if kick:
            self.kicks.append(frame)
        if kick or layer in _FIRM:
            self.strikes.append((frame, layer))
        if layer == "bass":
            self.bass_notes.append(frame)
        if layer == "drums" and is_firm_snare(note, velocity):
            self.snares.append(frame)

    def take(self, start: Frames, end: Frames) -> Cues:
        """Remove and return what is struck before `end`, in the block that begins at `start`."""
        cues = Cues(
            [frame - start for frame in self.kicks if frame < end],
            [frame - start for frame in self.bass_notes if frame < end],
            {layer for frame, layer in self.strikes if frame < end},
            [frame - start for frame in self.snares if frame < end],
        )
        self.kicks = [frame for frame in self.kicks if frame >= end]
        self.bass_notes = [frame for frame in self.bass_notes if frame >= end]
        self.snares = [frame for frame in self.snares if frame >= end]
        self.strikes = [strike for strike in self.strikes if strike[0] >= end]
        return cues
