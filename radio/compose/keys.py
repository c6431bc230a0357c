"""The keys: shaping of sampled phrases into the texture of a track, and ranking of candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import log2
from statistics import fmean, pstdev
from typing import Final

from radio.compose.phrase import Phrase, chord_at, phrase_of, top_line
from radio.compose.texture import Texture
from radio.compose.voicing import voicing
from radio.music.chords import Chord
from radio.music.events import Note
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick

GRID: Final[Tick] = TICKS_PER_BEAT // 8
"""Releases are on eighths of a beat, as in training."""

_MUD: Final = 52
"""Below E3, two notes must be at least a fourth apart."""

_SOFTEST, _LOUDEST = 24, 120

_BRIGHTEST: Final = 88
"""The highest note of a doubled line."""
_DOUBLED: Final = 0.7
"""Velocity of the added notes as a share of that of the line."""


def shape(phrase: Phrase, chords: Sequence[Chord], texture: Texture, steadiness: float = 1.0) -> Phrase:
    """Return a sampled phrase, shaped to `texture`.

    Args:
        phrase: Notes as sampled.
        chords: One per beat, starting at the phrase's first beat, repeated.
        texture: The texture of the track.
        steadiness: Weight of beats and bar lines in the choice of onsets to keep; 0 leaves it to the model's accents.
    """
    if texture.kind == "pad":
        notes = _pad(phrase, chords, texture)
    else:
        notes = _strikes(phrase.notes, texture.voices)
        notes = _thinned(notes, round(texture.onsets * phrase.bars * BEATS_PER_BAR), steadiness)
        notes = _moved(notes, texture.register)
        notes = _without_doubles(_lengths(notes, texture.length))
    return phrase_of(_velocities(notes, texture), phrase.bars)


def rank(phrase: Phrase, chords: Sequence[Chord], texture: Texture) -> float:
    """Return the cost of a shaped phrase; 0 is perfect.

    Penalizes notes outside the chords, deviations from the texture in strikes per beat, notes per strike and register,
    a top line that is hard to sing, mud, clashes, bars with different rhythms, and a late start.
    """
    notes = phrase.notes
    if len(notes) < 2 * phrase.bars:
        return 20.0
    beats = phrase.bars * BEATS_PER_BAR
    onsets = len({note.start for note in notes}) / beats
    cost = 8 * max(0.0, 0.97 - chord_tone_share(notes, chords))
    cost += abs(log2(onsets / texture.onsets))
    if texture.thickness:
        cost += abs(log2(len(notes) / beats / onsets / texture.thickness))
    cost += abs(fmean(note.note for note in notes) - texture.register) / 5
    cost += _unsingable(top_line(notes))
    cost += 0.5 * _mud(notes) / phrase.bars
    cost += 0.8 * (1 - _groove(phrase))
    cost += 0.4 * (notes[0].start > 0)
    return cost + 2.0 * _clashes(notes) / phrase.bars


def chord_tone_share(notes: Sequence[Note], chords: Sequence[Chord]) -> float:
    """Return the share of the notes' sounding time in which they are tones of the chord."""
    inside = total = 0
    for note in notes:
        for beat in range(note.start // TICKS_PER_BEAT, -(-note.end // TICKS_PER_BEAT)):
            start, end = beat * TICKS_PER_BEAT, (beat + 1) * TICKS_PER_BEAT
            time = min(note.end, end) - max(note.start, start)
            total += time
            inside += time * (note.note % 12 in chord_at(chords, start).tones)
    return inside / max(1, total)


def without_foreign_tones(phrase: Phrase, chords: Sequence[Chord]) -> Phrase:
    """Return the phrase with each note cut where a chord begins that does not contain it.

    A note that begins outside its chord and lasts for a beat or more is moved to the nearest chord tone; shorter ones
    are passing notes and stay.
    """
    notes = []
    for note in phrase.notes:
        tones, pitch = chord_at(chords, note.start).tones, note.note
        if tones and pitch % 12 not in tones and note.end - note.start >= TICKS_PER_BEAT:
            pitch += _step_into(pitch, tones)
        end = note.end
        for tick in range((note.start // TICKS_PER_BEAT + 1) * TICKS_PER_BEAT, note.end, TICKS_PER_BEAT):
            later = chord_at(chords, tick).tones
            if later and pitch % 12 not in later:
                end = tick
                break
        notes.append(replace(note, note=pitch, end=end))
    return phrase_of(_without_doubles(notes), phrase.bars)


def with_octaves(notes: Sequence[Note], line: Sequence[Note]) -> list[Note]:
    """Return the notes with those of the top line doubled an octave above, or below if that is too high, and softer.

    Args:
        notes: Notes of one bar, on ticks that count from any bar line.
        line: The top line of the whole phrase, so that all of its bars are doubled on the same side.
    """
    interval = 12 if max((note.note for note in line), default=0) + 12 <= _BRIGHTEST else -12
    doubled = (
        Note(
            note.start,
            min(note.end, note.start - note.start % TICKS_PER_BAR + TICKS_PER_BAR),  # the next bar may play its pitch
            note.note + interval,
            max(_SOFTEST, round(_DOUBLED * note.velocity)),
        )
        for note in top_line(notes)
        if note.note + interval <= _BRIGHTEST
    )
    return _without_doubles([*notes, *doubled])


def _step_into(pitch: int, tones: frozenset[int]) -> int:
    """Return the smallest step, at most two semitones, from `pitch` into `tones`; 0 if there is none."""
    return min(range(-2, 3), key=lambda step: ((pitch + step) % 12 not in tones, abs(step)))


def _strikes(notes: Sequence[Note], voices: int) -> list[Note]:
    """Return the notes with at most `voices` per onset, the highest and the lowest preferred.

    With one or two voices, a note also ends at the next onset.
    """
    by_start: dict[Tick, list[Note]] = {}
    for note in sorted(notes, key=lambda note: (note.start, -note.note)):
        by_start.setdefault(note.start, []).append(note)
    struck: list[Note] = []
    for group in by_start.values():
        top, *lower = group
        inner = sorted(lower, key=lambda note: (note is not group[-1], -note.note))
        struck += [top, *inner][:voices]
    if voices > 2:
        return struck
    starts = sorted(by_start)
    following = dict(pairwise(starts))
    return [replace(note, end=min(note.end, following.get(note.start, note.end))) for note in struck]


def _thinned(notes: Sequence[Note], strikes: int, steadiness: float = 1.0) -> list[Note]:
    """Return the notes at the `strikes` heaviest onsets: those with many or loud notes, and those on bar lines."""
    weights: dict[Tick, float] = {}
    for note in notes:
        weights[note.start] = weights.get(note.start, steadiness * _weight(note.start)) + 0.5 + note.velocity / 100
    if len(weights) <= strikes:
        return list(notes)
    chosen = set(sorted(weights, key=lambda start: (-weights[start], start))[: max(strikes, 2)])
    return [note for note in notes if note.start in chosen]


def _weight(start: Tick) -> float:
    """Return the rhythmic weight of an onset by its place in the bar."""
    place = start % TICKS_PER_BAR
    if place == 0:
        return 2.5
    return 0.8 if place % TICKS_PER_BEAT == 0 else 0.4 if place % (TICKS_PER_BEAT // 2) == 0 else 0.2


def _moved(notes: Sequence[Note], register: float) -> list[Note]:
    """Return the notes moved by whole octaves toward the register."""
    if not notes:
        return []
    octaves = round((register - fmean(note.note for note in notes)) / 12)
    return [replace(note, note=min(max(note.note + 12 * octaves, 41), 92)) for note in notes]


def _lengths(notes: Sequence[Note], length: float) -> list[Note]:
    """Return the notes cut to `length` beats, on the grid of releases; 0 leaves them unchanged."""
    if not length:
        return list(notes)
    ticks = max(GRID, round(length * TICKS_PER_BEAT / GRID) * GRID)
    return [replace(note, end=min(note.end, note.start + ticks)) for note in notes]


def _velocities(notes: Sequence[Note], texture: Texture) -> list[Note]:
    """Return the notes with the texture's mean velocity and spread; louder ones stay louder."""
    if not notes:
        return []
    values = [note.velocity for note in notes]
    mean, spread = fmean(values), pstdev(values)
    factor = texture.spread / spread if spread else 0.0
    return [
        replace(
            note,
            velocity=min(max(round(texture.velocity + factor * (note.velocity - mean)), _SOFTEST), _LOUDEST),
        )
        for note in notes
    ]


def _pad(phrase: Phrase, chords: Sequence[Chord], texture: Texture) -> list[Note]:
    """Return held chords in close voice leading, each with the top notes that the model played over it."""
    beats = phrase.bars * BEATS_PER_BAR
    begins = [beat for beat in range(beats) if _struck(chords, beat, texture)]
    notes: list[Note] = []
    before: tuple[int, ...] = ()
    for begin, end in zip(begins, [*begins[1:], beats], strict=True):
        start, stop = begin * TICKS_PER_BEAT, end * TICKS_PER_BEAT
        chord = chord_at(chords, start)
        before = voicing(chord, texture.voices, texture.register, texture.span, before)
        held = min(stop, start + round(max(texture.length, 1) * TICKS_PER_BEAT / GRID) * GRID)
        notes += [Note(start, held, note, 64 - 2 * place) for place, note in enumerate(before)]
    added = max(0, round(texture.onsets * beats) - len(begins))
    struck = {note.start for note in notes}
    above = [
        note
        for note in top_line(phrase.notes)
        if note.start not in struck and note.note % 12 in chord_at(chords, note.start).tones
    ]
    for note in _thinned(above, added) if added else []:
        octaves = round((texture.register + 9 - note.note) / 12)
        notes.append(replace(note, note=note.note + 12 * octaves, velocity=72))
    return _without_doubles(notes)


def _struck(chords: Sequence[Chord], beat: int, texture: Texture) -> bool:
    """Return True if a held chord is struck: at its beginning, on bar lines, and at the texture's restrikes."""
    if beat % BEATS_PER_BAR == 0 or chords[beat % len(chords)] != chords[(beat - 1) % len(chords)]:
        return True
    return texture.restrike > 0 and beat % texture.restrike == 0


def _without_doubles(notes: Sequence[Note]) -> list[Note]:
    """Return the notes without overlaps of equal pitch: the earlier note ends when the next one is struck."""
    by_pitch: dict[int, list[Note]] = {}
    for note in sorted(notes):
        line = by_pitch.setdefault(note.note, [])
        if line and line[-1].start == note.start:
            continue
        if line and line[-1].end > note.start:
            line[-1] = replace(line[-1], end=note.start)
        line.append(note)
    return sorted(note for line in by_pitch.values() for note in line)


def _unsingable(line: Sequence[Note]) -> float:
    """Return the cost of a top line that is hard to sing: wide steps, or fewer than three pitches."""
    if len(line) < 3:
        return 0.0
    steps = [abs(after.note - before.note) for before, after in pairwise(line)]
    pitches = len({note.note for note in line})
    return max(0.0, fmean(steps) - 4) / 4 + 0.3 * (pitches < 3)


def _mud(notes: Sequence[Note]) -> int:
    """Return the number of pairs of low notes that are struck together less than a fourth apart."""
    low = sorted((note.start, note.note) for note in notes if note.note < _MUD)
    return sum(first[0] == second[0] and second[1] - first[1] < 5 for first, second in pairwise(low))


def _clashes(notes: Sequence[Note]) -> int:
    """Return the number of pairs a semitone or a minor ninth apart that sound together for a beat or more."""
    count = 0
    for place, first in enumerate(notes):
        for second in notes[place + 1 :]:
            if second.start >= first.end:
                break
            together = min(first.end, second.end) - second.start
            count += abs(first.note - second.note) in (1, 13) and together >= TICKS_PER_BEAT
    return count


def _groove(phrase: Phrase) -> float:
    """Return the similarity of the rhythms of neighboring bars, 0–1."""
    bars = [{note.start for note in phrase.bar(place, 0)} for place in range(phrase.bars)]
    similarity = [len(a & b) / len(a | b) for a, b in pairwise(bars) if a | b]
    return fmean(similarity) if similarity else 1.0
