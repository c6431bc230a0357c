"""Any folder of MIDI files in 4/4. Chords are named from the sounding notes, bar by bar."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from radio.errors import MidiError
from radio.music import midi
from radio.music.midi_score import DRUM_CHANNEL
from radio.music.parts import Part
from radio.music.quantize import quantize
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR
from train.data.corpus.chord_naming import estimate_chord, pitch_class_time
from train.data.corpus.groove import PADS
from train.data.corpus.piece import Piece, Split, groove_labels, trim

VALIDATION_SHARE = 0.05


def files(root: Path) -> list[Path]:
    """Return all MIDI files below `root`, in order."""
    return sorted(path for path in root.rglob("*") if path.suffix.lower() in (".mid", ".midi"))


def held_out(paths: Sequence[Path], root: Path) -> frozenset[Path]:
    """Return the validation files: 5 % of `paths`, chosen by a hash of the name; at least one of four or more."""
    drawn = {
        path: int.from_bytes(hashlib.sha256(path.relative_to(root).as_posix().encode()).digest()[:4], "big") / 2**32
        for path in paths
    }
    below = frozenset(path for path, number in drawn.items() if number < VALIDATION_SHARE)
    return below or frozenset(sorted(drawn, key=drawn.__getitem__)[: len(drawn) // 4][:1])


def read_file(path: Path, root: Path, part: Part, split: Split) -> Iterator[Piece]:
    """Yield the file's pieces for `part`: the drum channel, or all others. Raises MidiError if there are none."""
    score = midi.read(path)
    if any((numerator, denominator) != (4, 4) for _, numerator, denominator in score.time_signatures):
        raise MidiError(f"{path}: it is not in 4/4 throughout")
    name = path.relative_to(root).as_posix()
    has_notes = False
    for number, piece_notes in enumerate(score.pieces()):
        first_bar = piece_notes[0].start // (score.ppq * BEATS_PER_BAR) * BEATS_PER_BAR
        notes = [
            (
                note.start / score.ppq - first_bar,
                note.end / score.ppq - first_bar,
                part.fold(note.note) if part.note_offs else PADS.get(note.note, -1),
                note.velocity,
            )
            for note in piece_notes
            if (note.channel == DRUM_CHANNEL) != part.note_offs
        ]
        quantized = quantize(part, [note for note in notes if part.low <= note[2] <= part.high])
        if not quantized:
            continue
        has_notes = True
        bars = quantized[-1].start // TICKS_PER_BAR + 1
        chords = [
            estimate_chord(pitch_class_time(quantized, bar * TICKS_PER_BAR, (bar + 1) * TICKS_PER_BAR))
            for bar in range(bars)
            for _ in range(BEATS_PER_BAR)
        ]
        piece = Piece(
            f"{name}#{number}",
            part,
            split,
            bars,
            quantized,
            chords if part.note_offs else (),
            () if part.note_offs else groove_labels([], fill=False),
        )
        trimmed = trim(piece)
        if trimmed is not None:
            yield trimmed
    if not has_notes:
        raise MidiError(f"{path}: it has no notes for {part.name}")
