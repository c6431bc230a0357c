"""A short song to arrange: broken triads in C major, two chords per bar, eight bars by default."""

from __future__ import annotations

from radio.music.chords import Chord, parse_chord
from radio.music.events import Note
from radio.music.parts import PIANO
from radio.types import TICKS_PER_BEAT
from train.data.corpus.piece import Piece

LOOP = ("C", "G", "Am", "F", "Dm", "G", "C", "C")


def song(chords: tuple[str, ...] = LOOP, *, bars: int = 8, name: str = "song") -> Piece:
    """Return a song of eighths up and down each chord. A chord lasts two beats and starts with a low bass note."""
    per_beat: list[Chord] = [parse_chord(chords[beat // 2 % len(chords)]) for beat in range(4 * bars)]
    notes = []
    for beat, chord in enumerate(per_beat):
        tones = sorted(55 + (tone - 55) % 12 for tone in chord.tones) or [60]
        if beat % 2 == 0:
            notes.append(Note(beat * TICKS_PER_BEAT, (beat + 2) * TICKS_PER_BEAT, 43 + (chord.root - 43) % 12, 90))
        for half in range(2):
            start = beat * TICKS_PER_BEAT + half * TICKS_PER_BEAT // 2
            notes.append(
                Note(start, start + TICKS_PER_BEAT // 2, tones[(2 * beat + half) % len(tones)], 60 + 30 * half)
            )
    return Piece(name, PIANO, "train", bars, sorted(notes), per_beat)
