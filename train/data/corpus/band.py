"""Pieces for a band: all instruments of a MIDI file, or one of its parts, as one stream of events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from radio.errors import MidiError
from radio.music.band_events import BandNote, encode, instrument_of, on_grid
from radio.music.bar_lines import BarLines
from radio.music.midi_parts import PartChoice, part_voices, voice_of
from radio.music.midi_score import Score
from radio.music.parts import BAND
from radio.types import BEATS_PER_BAR, TokenId
from train.data.corpus.folder import require_beats
from train.data.corpus.piece import Piece

_FEWEST: Final = 8
"""Minimum number of notes in a piece."""

_ALL: Final = PartChoice()


@dataclass(slots=True)
class BandPiece(Piece):
    """A piece of several instruments."""

    band: list[BandNote] = field(default_factory=list)

    def tokens(self) -> list[TokenId]:
        """Return the events of the piece."""
        return encode(self.band)


def pieces_of(score: Score, name: str, choice: PartChoice = _ALL) -> list[Piece]:
    """Return the pieces of a file with all its instruments, or with the part that `choice` names.

    Bars that do not have four beats are left out.

    Raises:
        MidiError: It is in another meter, its notes do not follow its beats, it has hardly any notes, or no such part.
    """
    voices = part_voices(score.notes, choice) if choice.is_made else None
    lines = BarLines(score, max((note.end for note in score.notes), default=0))
    require_beats(score, lines)
    pieces: list[Piece] = []
    for number, notes in enumerate(score.pieces()):
        placed = lines.place([note for note in notes if voices is None or voice_of(note) in voices])
        if len(placed) < _FEWEST:
            continue
        first = min(start for start, _, _ in placed) // BEATS_PER_BAR * BEATS_PER_BAR
        band = [
            on_grid(start - first, end - first, instrument_of(note.program, note.channel), note.note, note.velocity)
            for start, end, note in placed
        ]
        bars = max(note.start for note in band) // (8 * BEATS_PER_BAR) + 1
        pieces.append(BandPiece(f"{name}#{number}", BAND, "train", bars, [], band=sorted(set(band))))
    if not pieces:
        raise MidiError(f"it has no piece of {_FEWEST} notes or more")
    return pieces
