"""POP909's piano accompaniments, warped to the annotated beats and fitted to a keyboard part.

The MELODY and BRIDGE tracks are not read: their melodies belong to the songwriters.
Source: Wang et al., "POP909: A Pop-song Dataset for Music Arrangement Generation", ISMIR 2020.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from radio.errors import MidiError
from radio.music import midi
from radio.music.chord_naming import pitch_class_times, refine
from radio.music.chords import NO_CHORD, Chord, pitch_class
from radio.music.parts import PIANO
from radio.music.quantize import quantize
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT, Seconds
from train.data.corpus.piece import Piece, Split, select_bars, trim

VALIDATION_EVERY = 20
"""Songs whose number is a multiple of this are for validation: about 5 %."""

ON_GRID, NEAR = 0.8, 4 / TICKS_PER_BEAT
"""Minimum share of onsets within 4 ticks of the grid. A song with fewer is skipped: its beats are annotated wrongly,
and rounding would turn it into noise. Nine songs in ten are well above."""

LOWEST, HIGHEST, CENTER = 43, 86, 62
"""The register of a keyboard part before transposition by −6 to +5 semitones."""

_QUALITIES = {
    "maj": "maj", "min": "min", "7": "dom7", "maj7": "maj7", "min7": "min7", "minmaj7": "min", "maj6": "6",
    "min6": "min", "sus2": "sus", "sus4": "sus", "sus4(b7)": "sus", "dim": "dim", "dim7": "dim", "hdim7": "hdim7",
    "aug": "aug", "maj9": "maj9", "min9": "min9", "9": "dom7",
}  # fmt: skip


def songs(root: Path) -> list[Path]:
    """Return the songs' folders, in order."""
    return sorted(path.parent for path in root.rglob("beat_midi.txt"))


def read_song(folder: Path) -> Iterator[Piece]:
    """Yield the song's accompaniment as a piece. Raises MidiError if a file is missing or malformed."""
    score = midi.read(folder / f"{folder.name}.mid")
    beats, downbeats = _beats(folder / "beat_midi.txt")
    notes = [
        (_beat_of(beats, score.seconds(note.start)), _beat_of(beats, score.seconds(note.end)), note.note, note.velocity)
        for note in score.notes
        if note.track == "PIANO"
    ]
    if not notes or not downbeats:
        raise MidiError(f"{folder}: there is no PIANO track, or there are no downbeats")
    near = sum(abs(PIANO.nearest_onset(start * TICKS_PER_BEAT) / TICKS_PER_BEAT - start) <= NEAR for start, *_ in notes)
    if near < ON_GRID * len(notes):
        raise MidiError(f"{folder}: only {near / len(notes):.0%} of its onsets are on the grid of the annotated beats")
    if not folder.name.isdecimal():
        raise MidiError(f"{folder}: the name of a song's folder must be its number")
    split: Split = "validation" if int(folder.name) % VALIDATION_EVERY == 0 else "train"
    kept_bars, first_beats = [], []
    # Beats before the first downbeat are dropped. Each bar gets four beat slots, and only bars of four beats stay.
    for number, (first, following) in enumerate(pairwise(downbeats)):
        first_beats.append((first, following))
        if following - first == BEATS_PER_BAR:
            kept_bars.append(number)
    slotted = [
        (
            bar * BEATS_PER_BAR + start - first,
            bar * BEATS_PER_BAR + min(end, float(following)) - first + max(0.0, end - following),
            note,
            velocity,
        )
        for bar, (first, following) in enumerate(first_beats)
        for start, end, note, velocity in notes
        if first <= start + 1e-9 < following
    ]
    quantized = quantize(PIANO, _fitted(slotted))
    chords = _chords(folder / "chord_midi.txt", beats, first_beats)
    piece = Piece(f"pop909/{folder.name}", PIANO, split, len(first_beats), quantized, _refined(chords, quantized))
    short = trim(select_bars(piece, kept_bars))
    if short is not None:
        yield short


def _fitted(notes: list[tuple[float, float, int, int]]) -> list[tuple[float, float, int, int]]:
    """Move the song by octaves to a mean pitch near the center, and fold in notes outside the register."""
    mean = sum(note for _, _, note, _ in notes) / max(1, len(notes))
    octave = 12 * round((CENTER - mean) / 12)

    def fold(note: int) -> int:
        note += octave
        while note < LOWEST:
            note += 12
        while note > HIGHEST:
            note -= 12
        return note

    return [(start, end, fold(note), velocity) for start, end, note, velocity in notes]


def _rows(path: Path) -> list[list[str]]:
    try:
        return [line.split() for line in path.read_text().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise MidiError(f"{path}: cannot be read ({error})") from error


def _beats(path: Path) -> tuple[list[Seconds], list[int]]:
    """Return the beat times in seconds, and the indexes of downbeats (third column)."""
    try:
        rows = [(float(row[0]), float(row[2]) > 0) for row in _rows(path)]
    except (ValueError, IndexError) as error:
        raise MidiError(f"{path}: a line is not 'time flag flag' ({error})") from error
    if len(rows) < 2 or any(later <= time for (time, _), (later, _) in pairwise(rows)):
        raise MidiError(f"{path}: there must be at least two beats, in ascending order")
    return [time for time, _ in rows], [place for place, (_, down) in enumerate(rows) if down]


def _beat_of(beats: list[Seconds], time: Seconds) -> float:
    """Return the position in beats, interpolated linearly between annotated beats and extrapolated beyond them."""
    place = min(max(bisect_right(beats, time) - 1, 0), len(beats) - 2)
    return place + (time - beats[place]) / (beats[place + 1] - beats[place])


def _chords(path: Path, beats: list[Seconds], bars: list[tuple[int, int]]) -> list[Chord]:
    """Return the labeled chord at each beat slot, four per bar."""
    try:
        spans = [(float(row[0]), float(row[1]), _label(row[2])) for row in _rows(path)]
    except (ValueError, IndexError) as error:
        raise MidiError(f"{path}: a line is not 'start end label' ({error})") from error
    chords = []
    for first, following in bars:
        for number in range(BEATS_PER_BAR):
            place = min(first + number, following - 1)
            middle = (beats[place] + beats[min(place + 1, len(beats) - 1)]) / 2
            chords.append(next((chord for start, end, chord in spans if start <= middle < end), NO_CHORD))
    return chords


def _label(text: str) -> Chord:
    """Parse a label such as `G:maj7/3` as G maj7; the bass after the slash is ignored."""
    if text in ("N", "X"):
        return NO_CHORD
    root, _, quality = text.partition(":")
    name = quality.partition("/")[0]
    if name not in _QUALITIES:
        raise ValueError(f"unknown chord label '{text}'")
    return Chord(pitch_class(root), _QUALITIES[name])


def _refined(chords: list[Chord], notes: list) -> list[Chord]:  # type: ignore[type-arg]
    """Refine each run of one label, at most a bar long, by the notes that sound during it."""
    changes = [beat for beat in range(1, len(chords)) if chords[beat] != chords[beat - 1] or beat % BEATS_PER_BAR == 0]
    edges = [0, *changes, len(chords)]
    times = pitch_class_times(notes, [beat * TICKS_PER_BEAT for beat in edges])
    return [
        refine(chords[first], time)
        for (first, last), time in zip(pairwise(edges), times.tolist(), strict=True)
        for _ in range(first, last)
    ]
