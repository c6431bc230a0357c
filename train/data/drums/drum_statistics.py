"""Statistics of drum pieces: shares of bars by style, tempo and kind, and of hits by place in the beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from radio.music.vocab import FILL, STYLE_BASE, STYLES
from radio.types import TICKS_PER_BEAT, JsonValue
from train.data.corpus.piece import Piece

TEMPOS: Final = (60, 85, 110, 140)
"""The limits of the tempo bands in beats per minute; a band includes its lower limit."""


@dataclass(slots=True)
class DrumStatistics:
    """Weighted counts of bars and hits; the weight is that of the piece in training."""

    styles: dict[str, float] = field(default_factory=dict)
    tempos: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, float] = field(default_factory=dict)
    places: dict[str, float] = field(default_factory=dict)

    def add(self, piece: Piece) -> None:
        """Count a drum piece."""
        bars = piece.bars * piece.weight
        named = [STYLES[label - STYLE_BASE] for label in piece.labels if STYLE_BASE <= label < STYLE_BASE + len(STYLES)]
        _count(self.styles, named[0] if named else "unnamed", bars)
        _count(self.tempos, _band(piece.tempo), bars)
        _count(self.kinds, "fills" if FILL in piece.labels else "grooves", bars)
        for note in piece.notes:
            _count(self.places, str(note.start % TICKS_PER_BEAT), piece.weight)

    def as_json(self) -> dict[str, JsonValue]:
        """Return the shares, largest first."""
        counted = {
            "styles": self.styles,
            "tempos": self.tempos,
            "kinds": self.kinds,
            "places in the beat, ticks": self.places,
        }
        return {name: _shares(counts) for name, counts in counted.items()}


def _count(counts: dict[str, float], name: str, amount: float) -> None:
    counts[name] = counts.get(name, 0.0) + amount


def _shares(counts: Mapping[str, float]) -> JsonValue:
    total = sum(counts.values())
    largest_first = sorted(counts.items(), key=lambda item: -item[1])
    return {name: round(count / total, 4) for name, count in largest_first}


def _band(tempo: float) -> str:
    """Return the name of the tempo band of `tempo`."""
    if not tempo:
        return "unknown"
    edges = [edge for edge in TEMPOS if edge <= tempo]
    above = [edge for edge in TEMPOS if edge > tempo]
    if not edges:
        return f"under {TEMPOS[0]}"
    return f"{edges[-1]}–{above[0]}" if above else f"from {TEMPOS[-1]}"
