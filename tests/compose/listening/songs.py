"""Songs written note by note, for tests."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from radio.music import midi
from radio.music.chords import Chord, parse_chord
from radio.music.events import NoteEvent
from radio.music.midi_score import Score
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT

LOOP = ("Dm7", "G7", "Cmaj7", "Am7")
GROOVE = ((0, 36), (240, 36), (120, 38), (360, 38), *((60 * eighth, 42) for eighth in range(8)))


def note(events: list[NoteEvent], start: int, length: int, pitch: int, velocity: int = 80) -> None:
    events += [NoteEvent(start, pitch, velocity), NoteEvent(start + length, pitch, 0)]


def voicing(chord: Chord, low: int) -> list[int]:
    return sorted(next(pitch for pitch in range(low, low + 12) if pitch % 12 == tone) for tone in chord.tones)


def song(
    path: Path,
    *,
    loop: Sequence[str] = LOOP,
    turns: int = 4,
    tempo: float = 84.0,
    semitones: int = 0,
    low: int = 60,
    strikes: Sequence[int] = (0, 240),
    drums: bool = True,
    swing: float = 0.0,
) -> Score:
    """Write keys, bass, melody and drums over a loop to a file, and read it back.

    Args:
        path: The MIDI file to write.
        loop: One chord per bar.
        turns: Number of repetitions of the loop.
        tempo: BPM.
        semitones: Transposition of the whole song.
        low: Lowest note of the keys.
        strikes: Ticks within each bar at which the keys strike.
        drums: Include drums.
        swing: Standard deviation of the starts, in ticks.
    """
    generator = random.Random(1)
    layers: dict[str, list[NoteEvent]] = {"keys": [], "bass": [], "melody": [], "drums": []}
    for bar in range(turns * len(loop)):
        chord = parse_chord(loop[bar % len(loop)]).transposed(semitones)
        line = bar * TICKS_PER_BAR
        for strike in strikes:
            late = max(0, round(generator.gauss(0, swing))) if swing else 0
            for pitch in voicing(chord, low):
                note(layers["keys"], line + strike + late, 200, pitch)
        note(layers["bass"], line, 220, 36 + (chord.root - 36) % 12)
        note(layers["bass"], line + 240, 100, 36 + (chord.root - 36) % 12)
        for place, pitch in enumerate(voicing(chord, 72)[: 3 - bar % 2]):
            note(layers["melody"], line + 120 * place + 60, 60, pitch)
        for tick, pad in GROOVE if drums else ():
            note(layers["drums"], line + tick, 20, pad)
    tracks = [
        midi.MidiTrack("Keys", sorted(layers["keys"], key=_order), 4),
        midi.MidiTrack("Bass", sorted(layers["bass"], key=_order), 33),
        midi.MidiTrack("Flute", sorted(layers["melody"], key=_order), 73),
    ]
    if drums:
        tracks.append(midi.MidiTrack("Drums", sorted(layers["drums"], key=_order), drums=True))
    midi.write(path, tracks, {0: tempo}, end=turns * len(loop) * TICKS_PER_BAR + TICKS_PER_BEAT)
    return midi.read(path)


def _order(event: NoteEvent) -> tuple[int, bool]:
    return event.tick, event.velocity > 0
