"""A song: the notes of a MIDI file or a recording by part, on beats at a tempo within the radio's range."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import Final

from radio.compose.listening.beats import find_beats
from radio.errors import MidiError
from radio.music.bar_lines import BarLines, meters
from radio.music.beat_grid import follows_beats
from radio.music.events import Note
from radio.music.midi_parts import PartChoice, part_voices, voice_of
from radio.music.midi_score import DRUM_CHANNEL, FileNote, Score
from radio.settings.controls import CONTROLS
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT

MOST_NOTES: Final = 20_000
"""Most notes in a file to start from."""

MOST_BARS: Final = 256
"""Most bars of a file that are analyzed, from its beginning."""

_WHOLE: Final = 0.5
_FEWEST_NOTES: Final = 8
_BASS: Final = 48
"""Notes of a recording below this are the bass's, if most notes are above."""

_CLOSE: Final = 1.04
"""Factor by which a tempo may be out of range and still be clamped rather than halved or doubled."""


@dataclass(frozen=True, slots=True)
class Song:
    """The notes of a file, in ticks from its first bar line.

    tempo: BPM, within the radio's range. meter: in words. played_freely: True if its beats were detected. pitched:
    notes of all parts except the drums. keys: notes of the keyboard. melody: the melody, if another part has it.
    """

    tempo: float
    meter: str
    played_freely: bool
    pitched: tuple[Note, ...]
    keys: tuple[Note, ...]
    melody: tuple[Note, ...]
    drums: tuple[Note, ...]

    @property
    def bars(self) -> int:
        """The number of bars up to the start of the last note, at most `MOST_BARS`."""
        return min(max(note.start for note in self.pitched) // TICKS_PER_BAR + 1, MOST_BARS)


def song_of(score: Score, choice: PartChoice) -> Song:
    """Return the song of a MIDI file, or of a recording.

    Raises:
        MidiError: The file has no keyboard part, only drums, too few or too many notes, or another meter.
    """
    if score.timed and choice.is_made:
        raise MidiError("it is a recording, which has one part; leave the part out")
    if len(score.notes) > MOST_NOTES:
        raise MidiError(f"it has {len(score.notes):,} notes; a file to start from has at most {MOST_NOTES:,}")
    voices = part_voices(score.notes, choice)
    if score.notes and all(channel == DRUM_CHANNEL for _, channel, _ in voices):
        raise MidiError(f"{'the named part' if choice.is_made else 'it'} has only drums; a keyboard part is needed")
    lines = BarLines(score, max((note.end for note in score.notes), default=0))
    placed = lines.place(score.notes)
    if sum(voice_of(note) in voices for _, _, note in placed) < _FEWEST_NOTES and len(score.notes) >= _FEWEST_NOTES:
        raise MidiError(f"it is in {meters(score)}; bars of four beats are needed: 4/4, 2/2, 2/4 or 12/8")
    if sum(voice_of(note) in voices for note in score.notes) < _FEWEST_NOTES:
        raise MidiError(f"its keyboard part has fewer than {_FEWEST_NOTES} notes; a few bars are needed")
    if len(placed) < _WHOLE * len(score.notes):
        raise MidiError(f"it is in {meters(score)}; bars of four beats are needed: 4/4, 2/2, 2/4 or 12/8")
    freely = score.timed or not follows_beats([start for start, _, _ in placed])
    if freely:
        performance = find_beats(score)
        placed, tempo = performance.placed, performance.tempo
    else:
        tempo = _tempo(score, lines)
    factor = _folding(tempo)
    tempo = min(max(tempo * factor, CONTROLS["tempo"].low), CONTROLS["tempo"].high)
    first = min(start for start, _, _ in placed) * factor // 4 * 4
    notes = [
        (
            note,
            Note(max(0, _tick(start * factor - first)), max(1, _tick(end * factor - first)), note.note, note.velocity),
        )
        for start, end, note in placed
    ]
    whole = [(note, moved) for note, moved in notes if moved.end > moved.start]
    keys = tuple(moved for note, moved in whole if voice_of(note) in voices)
    melody = _melody_voice([note for note, _ in whole], voices)
    return Song(
        tempo=round(tempo, 2),
        meter=meters(score),
        played_freely=freely,
        pitched=tuple(moved for note, moved in whole if note.channel != DRUM_CHANNEL),
        keys=_without_bass(keys) if score.timed else keys,
        melody=tuple(moved for note, moved in whole if voice_of(note) == melody),
        drums=tuple(moved for note, moved in whole if note.channel == DRUM_CHANNEL),
    )


def _without_bass(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    above = tuple(note for note in notes if note.note >= _BASS)
    return above if len(above) > len(notes) / 2 else notes


def _tempo(score: Score, lines: BarLines) -> float:
    """Return the median tempo of the bars of four beats, in BPM."""
    last = score.notes[-1].start
    seconds = [
        score.seconds(bar.end) - score.seconds(bar.start) for bar in lines.bars if bar.whole and bar.start <= last
    ]
    return 240 / max(median(seconds), 1e-3)


def _folding(tempo: float) -> float:
    """Return the power of two by which a tempo is multiplied to bring it into or near the radio's range."""
    factor = 1.0
    while tempo * factor > CONTROLS["tempo"].high * _CLOSE:
        factor /= 2
    while tempo * factor < CONTROLS["tempo"].low / _CLOSE:
        factor *= 2
    return factor


def _tick(beats: float) -> int:
    return round(beats * TICKS_PER_BEAT)


def _melody_voice(notes: Sequence[FileNote], keys: frozenset[tuple[int, int, int]]) -> tuple[int, int, int] | None:
    """Return the voice of the melody: the highest other one that mostly plays one note at a time."""
    lines: dict[tuple[int, int, int], list[FileNote]] = {}
    for note in notes:
        if voice_of(note) not in keys and note.channel != DRUM_CHANNEL:
            lines.setdefault(voice_of(note), []).append(note)
    heights = {
        voice: fmean(note.note for note in line)
        for voice, line in lines.items()
        if len(line) >= _FEWEST_NOTES and _is_single(line) and fmean(note.note for note in line) >= 58
    }
    return max(heights, key=lambda voice: heights[voice]) if heights else None


def _is_single(line: Sequence[FileNote]) -> bool:
    overlaps = Counter(before.end > after.start + 1 for before, after in pairwise(line))
    return overlaps[True] <= 0.2 * max(1, overlaps.total())
