"""Any folder of MIDI files with four beats per bar. Chords are named from the sounding notes, bar by bar."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tqdm import tqdm

from radio.errors import MidiError
from radio.music import midi
from radio.music.bar_lines import BarLines, meters
from radio.music.beat_grid import follows_beats
from radio.music.chord_naming import estimate_chords, pitch_class_times
from radio.music.drum_pads import PADS
from radio.music.midi_files import MidiFile, files_of, has_midi_name
from radio.music.midi_parts import PartChoice, part_voices, voice_of
from radio.music.midi_score import FileNote, Score
from radio.music.names import shown
from radio.music.parts import Part
from radio.music.quantize import quantize
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR
from train.data.corpus.piece import Piece, groove_labels, trim

VALIDATION_SHARE: Final = 0.05

_WHOLE: Final = 0.5
"""Minimum share of a file's notes in bars of four beats."""


@dataclass(slots=True)
class FolderReading:
    """The pieces of a folder, and the files that were left out.

    pieces: the pieces of each file by its name, all of the training split at first. skipped: a line for each file that
    was left out. damaged: a line for each file that was only read in part.
    """

    pieces: dict[str, list[Piece]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def paths(root: Path) -> list[Path]:
    """Return all MIDI files and archives at or below `root`, in order."""
    if root.is_file():
        return [root]
    return sorted((path for path in root.rglob("*") if has_midi_name(path) and path.is_file()), key=os.fsencode)


def held_out(names: Iterable[str]) -> frozenset[str]:
    """Return the validation files: 5 % of `names`, chosen by a hash, and at least one if there are four or more."""
    drawn = {name: int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32 for name in names}
    below = frozenset(name for name, number in drawn.items() if number < VALIDATION_SHARE)
    if below and len(below) < len(drawn):
        return below
    return frozenset(sorted(drawn, key=drawn.__getitem__)[: len(drawn) // 4][:1])


def read(root: Path, pieces_in: Callable[[Score, str], list[Piece]]) -> FolderReading:
    """Read a folder, an archive or a file.

    Args:
        root: The path.
        pieces_in: Returns the pieces of a file, given its name; raises MidiError if it has none.
    """
    reading = FolderReading()
    base = shown(root.parent if root.is_file() else root) + "/"
    for path in tqdm(paths(root), unit="file", desc=root.name):
        try:
            for file in files_of(path):
                _read_file(file, file.name.removeprefix(base), pieces_in, reading)
        except MidiError as error:
            reading.skipped.append(str(error))
    return reading


def _read_file(
    file: MidiFile, name: str, pieces_in: Callable[[Score, str], list[Piece]], reading: FolderReading
) -> None:
    try:
        score = midi.read_file(file)
        pieces = pieces_in(score, name)
    except MidiError as error:
        message = str(error)
        reading.skipped.append(message if message.startswith(file.name) else f"{file.name}: {message}")
        return
    reading.pieces[name] = pieces
    reading.damaged += [f"{file.name}: {warning}" for warning in score.warnings]


def pieces_of(score: Score, name: str, part: Part, choice: PartChoice) -> list[Piece]:
    """Return the pieces of a file for `part`: its drums, or the part that a keyboard plays or `choice` names.

    Bars that do not have four beats are left out.

    Raises:
        MidiError: The file has no such part, it is in another meter, or its notes do not follow its beats.
    """
    voices = part_voices(score.notes, choice, drums=not part.note_offs)
    lines = BarLines(score, max((note.end for note in score.notes), default=0))
    require_beats(score, lines)
    pieces = []
    for number, notes in enumerate(score.pieces()):
        placed = lines.place([note for note in notes if voice_of(note) in voices])
        piece = _piece(placed, f"{name}#{number}", part) if placed else None
        trimmed = trim(piece) if piece else None
        if trimmed is not None:
            pieces.append(trimmed)
    if not pieces:
        raise MidiError(f"it has no notes for {part.name}")
    return pieces


def require_beats(score: Score, lines: BarLines) -> None:
    """Raise MidiError if less than half of a file is in bars of four beats, or if its notes do not follow its beats."""
    onsets = [start for start, _, _ in lines.place(score.notes)]
    if len(onsets) < _WHOLE * len(score.notes):
        raise MidiError(f"it is in {meters(score)}; bars of four beats are needed: 4/4, 2/2, 2/4 or 12/8")
    if not follows_beats(onsets):
        raise MidiError(
            "its notes do not follow its beats: it was played without a click; its onsets are no nearer to beats, "
            "triplets and sixteenths than chance"
        )


def _piece(placed: Sequence[tuple[float, float, FileNote]], name: str, part: Part) -> Piece | None:
    first = placed[0][0] // BEATS_PER_BAR * BEATS_PER_BAR
    notes = [
        (start - first, end - first, part.fold(note.note) if part.note_offs else PADS.get(note.note, -1), note.velocity)
        for start, end, note in placed
    ]
    quantized = quantize(part, [note for note in notes if part.low <= note[2] <= part.high])
    if not quantized:
        return None
    bars = quantized[-1].start // TICKS_PER_BAR + 1
    if not part.note_offs:
        return Piece(name, part, "train", bars, quantized, (), groove_labels([], fill=False))
    times = pitch_class_times(quantized, range(0, (bars + 1) * TICKS_PER_BAR, TICKS_PER_BAR))
    chords = [chord for chord in estimate_chords(times) for _ in range(BEATS_PER_BAR)]
    return Piece(name, part, "train", bars, quantized, chords)
