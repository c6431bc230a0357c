"""The bass: a line over the chords of a phrase, locked to the kick."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from radio.compose.phrase import Phrase, chord_at, phrase_of
from radio.music.chords import Chord
from radio.music.events import Note
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick

LOWEST: Final = 28
"""E1, a bass guitar's lowest string."""

WALKING_STYLES: Final = frozenset({"jazz", "neworleans", "blues"})

_GRID: Final[Tick] = TICKS_PER_BEAT // 2
_MOST: Final = 3
"""Notes a bar outside walking styles."""


def root_note(chord: Chord) -> int:
    """Return the chord's root between E1 and D♯2."""
    return LOWEST + (chord.root - LOWEST) % 12


def write_bass(
    chords: Sequence[Chord], bars: int, kicks: Sequence[frozenset[Tick]], style: str, random: Random
) -> Phrase:
    """Write a bass line.

    Args:
        chords: One a beat; they go round.
        bars: Length of the line.
        kicks: For each bar of the drum loop, the ticks from its bar line at which a kick sounds; they go round.
        style: Of the drums; some styles walk in quarter notes.
        random: Generator of the phrase.
    """
    if style in WALKING_STYLES:
        return phrase_of(_walking(chords, bars, random), bars)
    notes = []
    for bar in range(bars):
        notes += _locked(chords, bar, kicks[bar % len(kicks)] if kicks else frozenset(), random)
    return phrase_of(notes, bars)


def _locked(chords: Sequence[Chord], bar: int, kicks: frozenset[Tick], random: Random) -> list[Note]:
    """Return two or three notes of one bar: the root where a chord begins, then kicks."""
    line = bar * TICKS_PER_BAR
    begins = [
        beat * TICKS_PER_BEAT
        for beat in range(BEATS_PER_BAR)
        if beat == 0
        or chord_at(chords, line + beat * TICKS_PER_BEAT) != chord_at(chords, line + (beat - 1) * TICKS_PER_BEAT)
    ]
    onsets = list(begins)
    for tick in sorted(kicks):
        if len(onsets) < _MOST and all(abs(tick - other) >= _GRID for other in onsets):
            onsets.append(tick)
    onsets.sort()
    notes = []
    for onset, end in zip(onsets, [*onsets[1:], TICKS_PER_BAR], strict=True):
        chord = chord_at(chords, line + onset)
        if not chord.tones:
            continue
        root = root_note(chord)
        choices = [(root, 10.0)] if onset in begins else [(root, 5.0), (_tone(chord, 7), 2.5), (root + 12, 2.0)]
        note = random.choices([pitch for pitch, _ in choices], [weight for _, weight in choices])[0]
        following = chord_at(chords, line + TICKS_PER_BAR)
        if onset >= TICKS_PER_BAR - _GRID and following != chord and following.tones and random.random() < 0.6:
            note = root_note(following) + random.choice((-1, -2, 1))
        length = min(end - onset, random.choice((1, 2, 2, 3)) * _GRID)
        notes.append(Note(line + onset, line + onset + length, note, 88 if onset == 0 else 76))
    return notes


def _walking(chords: Sequence[Chord], bars: int, random: Random) -> list[Note]:
    """Return a walking line: roots where chords begin, chord tones between them, an approach before the next chord."""
    notes: list[Note] = []
    pitch = root_note(chord_at(chords, 0)) if chord_at(chords, 0).tones else LOWEST + 8
    for beat in range(bars * BEATS_PER_BAR):
        tick = beat * TICKS_PER_BEAT
        chord, following = chord_at(chords, tick), chord_at(chords, tick + TICKS_PER_BEAT)
        if not chord.tones:
            continue
        begins = beat == 0 or chord_at(chords, tick - TICKS_PER_BEAT) != chord
        if begins:
            pitch = min((root_note(chord), root_note(chord) + 12), key=lambda note: abs(note - pitch))
        elif following != chord and following.tones:
            target = min((root_note(following), root_note(following) + 12), key=lambda note: abs(note - pitch))
            pitch = target + random.choice((-1, 1, -2, 2))
        else:
            tones = [note for note in range(LOWEST, LOWEST + 22) if note % 12 in chord.tones and note != pitch]
            pitch = random.choice(sorted(tones, key=lambda note: abs(note - pitch))[:4])
        notes.append(Note(tick, tick + TICKS_PER_BEAT - 15, pitch, 84 if begins else 76))
    return notes


def _tone(chord: Chord, interval: int) -> int:
    """Return the chord tone nearest to `interval` semitones above the root."""
    root = root_note(chord)
    tones = [note for note in range(root + 3, root + 12) if note % 12 in chord.tones]
    return min(tones, key=lambda note: abs(note - root - interval)) if tones else root
