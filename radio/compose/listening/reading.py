"""Reading of a MIDI file or a recording as a prime for a station."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import log2
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import Final

from radio.compose.listening.drum_loop import find_drum_loop
from radio.compose.listening.harmony import Passage, find_harmony, find_loop, loop_of, other_passage
from radio.compose.listening.song import Song, song_of
from radio.compose.material import HIGHEST, LOWEST
from radio.compose.motif import MOTIF_BARS, rank_motif
from radio.compose.phrase import Phrase, phrase_of, top_line
from radio.compose.prime import Prime
from radio.compose.texture import Texture
from radio.errors import AudioError, MidiError
from radio.music import midi
from radio.music.events import Note
from radio.music.midi_parts import PartChoice
from radio.music.midi_score import Score
from radio.music.names import printable, shown
from radio.music.parts import PIANO
from radio.music.quantize import quantize
from radio.transcription.recording import transcribe
from radio.transcription.signature import SIGNATURE, is_recording
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, TextureKind

_VOICES: Final = 6
"""Most notes that a passage strikes together."""

_FULL: Final = 0.4
"""Fewest strikes in a usable bar, as a share of the median of the bars with any."""

_SEMITONES: Final = 6
"""Difference in register, in semitones, that is as odd as a doubling of the strikes."""

_EMPTY: Final = 9.0
"""Oddness of a passage without notes."""

_PAD_ONSETS, _PAD_LENGTH = 0.8, 1.5
"""Most strikes per beat, and smallest mean length in beats, of held chords."""

_EACH_BEAT: Final = 0.8
"""Chords per beat above which one is struck on every beat; above half of this, on every second beat."""

_SOFTEST, _LOUDEST = 46.0, 102.0


def read_prime(path: Path, choice: PartChoice) -> Prime:
    """Read a MIDI file or a recording as a prime.

    Raises:
        MidiError: The file cannot be used; the message names it.
        AudioError: The recording cannot be used, or the package that transcribes it is not installed.
    """
    try:
        recorded = is_recording(_beginning(path))
        return prime_of(transcribe(path) if recorded else midi.read(path), printable(path.stem), choice)
    except (MidiError, AudioError) as error:
        message = str(error)
        named = message.startswith((str(path), shown(path)))
        raise type(error)(message if named else f"{shown(path)}: {message}") from None


def _beginning(path: Path) -> bytes:
    """Return the first bytes of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(SIGNATURE)
    except OSError:
        return b""


def prime_of(score: Score, name: str, choice: PartChoice) -> Prime:
    """Return the prime of a file: tempo, key, chords, passages of its keys, its drum loop and a motif.

    Args:
        score: The notes of a MIDI file, or of the transcription of a recording.
        name: Name of the prime.
        choice: The keyboard's part; a recording has one part.

    Raises:
        MidiError: The file cannot be used; the message says why, and what would be right.
    """
    song = song_of(score, choice)
    bars = song.bars
    chords, key = find_harmony(song.pitched, bars)
    strikes = Counter(note.start // TICKS_PER_BAR for note in song.keys)
    usual = median(strikes.values())
    full = [strikes[bar] >= max(2, _FULL * usual) for bar in range(bars)]
    oddness = _oddness(song)
    passage = find_loop(chords, full, oddness)
    other = other_passage(chords, passage, full, oddness)
    phrase = phrase_between(song.keys, passage)
    if not phrase.notes:
        raise MidiError("its keyboard part has no bars that could be repeated; two bars with notes are needed")
    return Prime(
        name=name,
        passage=phrase,
        second=phrase_between(song.keys, other) if other else None,
        tempo=song.tempo,
        key=key.major,
        mode=key.mode,
        loops={"A": loop_of(chords, passage), "B": loop_of(chords, other or passage)},
        texture=texture_of(phrase),
        drums=find_drum_loop(song.drums),
        motif=_motif(song, passage),
    )


def _oddness(song: Song) -> Callable[[Passage], float]:
    """Return a function that measures how much a passage's strikes per beat and register differ from the song's."""

    def character(notes: Sequence[Note]) -> tuple[float, float]:
        bars = {note.start // TICKS_PER_BAR for note in notes}
        return len({note.start for note in notes}) / len(bars), fmean(note.note for note in notes)

    strikes, register = character(song.keys)

    def oddness(passage: Passage) -> float:
        start, end = passage.first * TICKS_PER_BAR, (passage.first + passage.bars) * TICKS_PER_BAR
        inside = [note for note in song.keys if start <= note.start < end]
        if not inside:
            return _EMPTY
        own_strikes, own_register = character(inside)
        return abs(log2(own_strikes / strikes)) + abs(own_register - register) / _SEMITONES

    return oddness


def phrase_between(notes: Sequence[Note], passage: Passage) -> Phrase:
    """Return the notes of a passage on the grid, within the range of the keys, with at most six struck together."""
    start, end = passage.first * TICKS_PER_BAR, (passage.first + passage.bars) * TICKS_PER_BAR
    inside = [note for note in notes if start - TICKS_PER_BEAT // 8 <= note.start < end - TICKS_PER_BEAT // 16]
    placed = quantize(
        PIANO,
        [
            (
                max(0.0, (note.start - start) / TICKS_PER_BEAT),
                (note.end - start) / TICKS_PER_BEAT,
                _folded(note.note),
                note.velocity,
            )
            for note in inside
        ],
    )
    by_start: dict[int, list[Note]] = {}
    for note in placed:
        by_start.setdefault(note.start, []).append(note)
    struck: list[Note] = []
    for group in by_start.values():
        ordered = sorted(group, key=lambda note: -note.note)
        struck += ordered[: _VOICES - 1] + ordered[_VOICES - 1 :][-1:]
    return phrase_of(struck, passage.bars)


def texture_of(phrase: Phrase) -> Texture:
    """Return the texture in which a phrase is played."""
    groups = Counter(note.start for note in phrase.notes)
    beats = phrase.bars * BEATS_PER_BAR
    thickness, onsets = fmean(groups.values()), max(0.25, len(groups) / beats)
    voices = min(max(round(thickness + 0.3), 1), _VOICES)
    length = fmean(note.end - note.start for note in phrase.notes) / TICKS_PER_BEAT
    kind: TextureKind = "line" if voices == 1 else "thin" if voices == 2 else "comp"
    if voices > 2 and onsets <= _PAD_ONSETS and length >= _PAD_LENGTH:
        kind = "pad"
    chords = sum(size > voices / 2 for size in groups.values()) / beats
    velocities = [note.velocity for note in phrase.notes]
    return Texture(
        kind=kind,
        voices=voices,
        onsets=onsets,
        length=length if kind == "pad" else 0.0,
        register=fmean(note.note for note in phrase.notes),
        velocity=min(max(fmean(velocities), _SOFTEST), _LOUDEST),
        span=12,
        restrike=1 if chords > _EACH_BEAT else 2 if chords > _EACH_BEAT / 2 else 0,
        spread=min(pstdev(velocities), 19.0),
        thickness=thickness,
    )


def _motif(song: Song, passage: Passage) -> Phrase | None:
    """Return the two bars of the melody, or else of the top line of the keys, that are the best motif."""
    length = MOTIF_BARS
    line = song.melody or song.keys
    first = passage.first if not song.melody else 0
    last = passage.first + passage.bars if not song.melody else song.bars
    candidates = []
    for bar in range(first, max(first + 1, last - length + 1)):
        phrase = phrase_between(line, Passage(bar, length))
        top = replace(phrase, notes=tuple(top_line(phrase.notes)))
        if len(top.notes) >= 3:
            candidates.append((rank_motif(top), bar, top))
    return min(candidates, key=lambda candidate: candidate[:2])[2] if candidates else None


def _folded(note: int) -> int:
    """Return a note moved by octaves into the range of the keys."""
    while note < LOWEST:
        note += 12
    while note > HIGHEST:
        note -= 12
    return note
