"""The lead: a sparse melody that develops a short motif and answers the keys.

A motif is a few notes of a line that the piano model played. A phrase states it in two bars, then repeats, transposes
or inverts it within the scale, always in the same rhythm and with its pitches fitted to the chords. Candidates are
drawn and ranked, like those of the keys. When a lead returns over the same phrase of the keys, it opens as before and
then climbs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from random import Random
from typing import Final, Literal, TypeAlias

from radio.compose.motif import (
    LENGTHS,
    MOTIF_BARS,
    SIXTEENTH,
    WIDEST_STEP,
    Motif,
    Step,
    draw_motif,
    motif_of,
    scale_degree,
    scale_pitch,
)
from radio.compose.phrase import Phrase, chord_at, phrase_of, top_line
from radio.compose.plan import Track
from radio.music.chords import Chord
from radio.music.events import Note
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, Tick

CANDIDATES: Final = 12
"""Number of phrases that are drawn for each material."""

REACH: Final = 8
"""Semitones above and below the middle of the range, which spans a tenth."""

_CELL: Final[Tick] = MOTIF_BARS * TICKS_PER_BAR

_CLASHES: Final = (1, 13, 25)
_SOFTEST, _LOUDEST = 40, 120

_MIDDLE: Final = 74
_MIDDLES: Final[Mapping[range, int]] = {range(24, 32): 66, range(40, 56): 70, range(56, 72): 69, range(72, 80): 77}
"""Middles of the ranges of guitars, strings and voices, brass and reeds, and pipes, by General MIDI program."""

_VELOCITY: Final = 76
_VELOCITIES: Final[Mapping[range, int]] = {
    range(11, 14): 102, range(24, 32): 102, range(72, 88): 58, range(104, 109): 102,
}  # fmt: skip
"""Mean velocities of mallets, guitars, pipes and synthesizers, and plucked strings: those that decay are louder."""

_KEYS_VELOCITY: Final = 70.0
"""Mean velocity of the keys over all tracks."""

Development: TypeAlias = Literal["state", "sequence", "climb", "invert", "rest"]

_MOVES: Final[Mapping[Development, Sequence[int]]] = {"sequence": (-2, -1, 1, 2), "climb": (2, 3, 4)}
"""Degrees by which a development may transpose the motif."""

_RETURN_BARS: Final = 8
"""Shorter leads double their length when they return."""


@dataclass(frozen=True, slots=True)
class Backing:
    """The music that a lead is written over.

    keys: their phrase, repeated. chords: one per beat, repeated. scale: pitch classes of the track's key. middle:
    middle of the lead's range. velocity: mean velocity of the lead.
    """

    keys: Phrase
    chords: Sequence[Chord]
    scale: frozenset[int]
    middle: int
    velocity: float

    def sounding(self, start: Tick, end: Tick) -> list[Note]:
        """Return the notes of the keys that sound between `start` and `end`."""
        length = self.keys.end
        return [  # `replace` would take half of the time of writing a lead
            Note(note.start + turn * length, note.end + turn * length, note.note, note.velocity)
            for turn in range(start // length, -(-end // length))
            for note in self.keys.notes
            if note.start + turn * length < end and note.end + turn * length > start
        ]


def middle_of(program: int) -> int:
    """Return the middle of the range in which an instrument plays a lead."""
    return next((middle for programs, middle in _MIDDLES.items() if program in programs), _MIDDLE)


def velocity_of(program: int) -> int:
    """Return the mean velocity at which an instrument plays a lead."""
    return next((velocity for programs, velocity in _VELOCITIES.items() if program in programs), _VELOCITY)


def lead_phrases(
    track: Track, motif: Phrase, keys: Mapping[str, Phrase], density: float, seed: Sequence[int]
) -> dict[str, Phrase]:
    """Return the lead of each material, and of its return by `return_of(material)`; empty for a track without a lead.

    Args:
        track: The track.
        motif: A line of the piano model, from which the motif is drawn.
        keys: The phrase of the keys, by material.
        density: 0 to 1; at 0.5 the lead rests about half of the time.
        seed: Seed of the random generators.
    """
    program = track.programs.get("lead")
    if program is None:
        return {}
    leads = {}
    for material, phrase in keys.items():
        loop = track.loops[material]
        chords = [chord for bar in range(phrase.bars) for chord in loop.beats(bar)]
        velocity = velocity_of(program) + 0.3 * (track.texture.velocity - _KEYS_VELOCITY)
        backing = Backing(phrase, chords, track.scale, middle_of(program), velocity)
        lines = [top_line(motif.notes), top_line(keys["A"].notes)]
        lead = write_lead(lines, backing, density, Random(f"{seed}/lead/{material}"))
        leads[material] = lead
        leads[return_of(material)] = write_return(lead, backing, density, Random(f"{seed}/lead/{material}/return"))
    return leads


def return_of(material: str) -> str:
    """Return the name of the lead that is played when a material returns with a lead."""
    return f"{material}'"


def write_lead(lines: Sequence[Sequence[Note]], backing: Backing, density: float, random: Random) -> Phrase:
    """Return the best of `CANDIDATES` phrases of four bars or more.

    Args:
        lines: Melodies from which the motif is drawn; the first is preferred.
        backing: Keys and chords.
        density: 0 to 1.
        random: Draws the candidates.
    """
    bars = backing.keys.bars * ceil(4 / backing.keys.bars)
    if bars == 4 and random.random() < 0.5:
        bars = 8
    candidates = []
    for _ in range(CANDIDATES):
        line = random.choices(lines, [len(lines) - place for place in range(len(lines))])[0]
        longest = random.choice(LENGTHS)
        steps = draw_motif(line, round(2 + 6 * density), backing.scale, random)
        motif = [step._replace(length=min(step.length, longest)) for step in steps]
        beat = _beat(motif, backing, bars, random)
        pitch = backing.middle + random.randint(-3, 3)
        plan = _plan(bars // MOTIF_BARS, density, random)
        phrase = phrase_of(_developed(Motif(motif, pitch, beat), plan, (), backing, random), bars)
        candidates.append((rank(phrase, backing, density), phrase))
    return min(candidates, key=lambda pair: pair[0])[1]


def write_return(lead: Phrase, backing: Backing, density: float, random: Random) -> Phrase:
    """Return the best of `CANDIDATES` phrases that open like `lead`, and then develop its motif up to a climax.

    Args:
        lead: A phrase from `write_lead`.
        backing: Keys and chords.
        density: 0 to 1.
        random: Draws the candidates.
    """
    opening = [note for note in lead.notes if note.start < _CELL]
    if not opening:
        return lead
    bars = lead.bars if lead.bars >= _RETURN_BARS else 2 * lead.bars
    motif = motif_of(opening, backing.scale)
    highest = max(note.note for note in lead.notes)
    candidates = []
    for _ in range(CANDIDATES):
        plan = _plan(bars // MOTIF_BARS, density, random)
        plan[len(plan) // 2] = "climb"
        notes = _developed(motif, plan, opening, backing, random)
        phrase = phrase_of(notes, bars)
        too_low = max(0, highest + 1 - max(note.note for note in notes))
        candidates.append((rank(phrase, backing, density) + too_low, phrase))
    return min(candidates, key=lambda pair: pair[0])[1]


def rank(phrase: Phrase, backing: Backing, density: float) -> float:
    """Return the cost of a lead; 0 is perfect.

    Penalizes deviations from the requested sounding time, wide steps, repeated notes, a wide range, few pitches,
    figures of three notes that do not recur, strikes together with the keys, few notes on beats, clashes with the keys,
    and an end outside the chord.
    """
    notes = phrase.notes
    if len(notes) < 2 * phrase.bars / MOTIF_BARS:
        return 20.0
    pitches = [note.note for note in notes]
    steps = [abs(after - before) for before, after in pairwise(pitches)]
    cost = 8 * abs(sounding_share(phrase) - (0.25 + 0.5 * density))
    cost += 3 * sum(step > WIDEST_STEP for step in steps) / len(steps)
    cost += 2 * sum(step == 0 for step in steps) / len(steps)
    cost += max(0, max(pitches) - min(pitches) - 2 * REACH) + 0.5 * max(0, 4 - len(set(pitches)))
    cost += 1.5 * (1 - recurrence(notes))
    strikes = {note.start % backing.keys.end for note in backing.keys.notes}
    cost += 2.5 * sum(note.start % backing.keys.end in strikes for note in notes) / len(notes)
    cost += 2 * max(0.0, 0.4 - sum(note.start % TICKS_PER_BEAT == 0 for note in notes) / len(notes))
    cost += 4 * sum(_clash(note, backing.sounding(note.start, note.end)) >= TICKS_PER_BEAT for note in notes)
    tones = chord_at(backing.chords, notes[-1].start).tones
    return cost + (bool(tones) and notes[-1].note % 12 not in tones)


def sounding_share(phrase: Phrase) -> float:
    """Return the share of the time that a melody sounds."""
    return sum(note.end - note.start for note in phrase.notes) / phrase.end


def recurrence(notes: Sequence[Note]) -> float:
    """Return the share of figures of three notes (two steps) that occur more than once; 0 if there are none."""
    pitches = [note.note for note in notes]
    figures = [(b - a, c - b) for a, b, c in zip(pitches, pitches[1:], pitches[2:], strict=False)]
    return sum(figures.count(figure) > 1 for figure in figures) / len(figures) if figures else 0.0


def without_clashes(notes: Sequence[Note], keys: Sequence[Note]) -> list[Note]:
    """Return the notes of a lead, cutting short those that would clash with the keys for a beat or more."""
    cut = []
    for note in notes:
        starts = [max(note.start, other.start) for other in keys if _clash(note, [other]) >= TICKS_PER_BEAT]
        cut.append(replace(note, end=min([note.end, *(start + SIXTEENTH for start in starts)])))
    return cut


def _developed(
    motif: Motif, plan: Sequence[Development], opening: Sequence[Note], backing: Backing, random: Random
) -> list[Note]:
    """Return the notes of a phrase that develops the motif by a plan, two bars at a time.

    If there is an `opening`, it stands for the first two bars.
    """
    notes = [*opening]
    for cell, development in enumerate(plan):
        if development == "rest" or (opening and cell == 0):
            continue
        moved = random.choice(_MOVES[development]) if development in _MOVES else 0
        turned = -1 if development == "invert" else 1
        degree = scale_degree(motif.pitch, backing.scale) + moved
        start = cell * _CELL + motif.beat
        pitches = [scale_pitch(degree + turned * step.degree, backing.scale) for step in motif.steps]
        places = [(start + step.start, step.length, pitch) for step, pitch in zip(motif.steps, pitches, strict=True)]
        notes += _voiced(places, (cell + 1) * _CELL, backing, notes[-1:], random)
    return notes


def _plan(cells: int, density: float, random: Random) -> list[Development]:
    """Draw the developments of a phrase, which begins with the motif and returns to it every four bars."""
    developments: tuple[Development, ...] = ("state", "state", "sequence", "sequence", "invert")
    rests = max(0.0, 0.6 - density) / 2
    return [
        "state"
        if cell % 4 in (0, 2)
        else "rest"
        if cell < cells - 1 and random.random() < rests
        else random.choice(developments)
        for cell in range(cells)
    ]


def _beat(motif: Sequence[Step], backing: Backing, bars: int, random: Random) -> Tick:
    """Draw the beat of the two bars on which the motif begins, preferring few strikes of the keys during the motif."""
    strikes = {
        note.start + turn * backing.keys.end
        for note in backing.keys.notes
        for turn in range(ceil(bars / backing.keys.bars))
    }
    places = range(0, max(1, _CELL - TICKS_PER_BEAT - motif[-1].start), TICKS_PER_BEAT)

    def busy(place: Tick) -> int:
        return sum(place <= strike % _CELL <= place + motif[-1].start for strike in strikes) + sum(
            cell + place + step.start in strikes for cell in range(0, bars * TICKS_PER_BAR, _CELL) for step in motif
        )

    return random.choice(sorted(places, key=busy)[:3])


def _voiced(
    places: Sequence[tuple[Tick, Tick, int]], end: Tick, backing: Backing, before: Sequence[Note], random: Random
) -> list[Note]:
    """Return the notes of a motif at `places` (start, length, target pitch), fitted to the chords."""
    notes: list[Note] = []
    for number, (start, length, aim) in enumerate(places):
        if start >= end:
            break
        stop = min(start + length, end, (start // TICKS_PER_BAR + 1) * TICKS_PER_BAR)
        # Notes on strong beats, long notes and both ends of a motif are chord tones; the others may be passing notes.
        is_strong = start % (2 * TICKS_PER_BEAT) == 0 or stop - start >= TICKS_PER_BEAT
        is_strong |= number in (0, len(places) - 1)
        last = [*before, *notes][-1].note if before or notes else aim
        note = _chosen(start, stop, aim, backing, last, is_strong=is_strong)
        accent = round(0.5 * (note.note - backing.middle)) + (3 if is_strong else -4) + random.randint(-3, 3)
        velocity = min(max(round(backing.velocity) + accent, _SOFTEST), _LOUDEST)
        notes.append(replace(note, velocity=velocity))
    return notes


def _chosen(start: Tick, end: Tick, aim: int, backing: Backing, last: int, *, is_strong: bool) -> Note:
    """Return the note nearest to `aim` that suits the chord, the keys, the range and the previous note."""
    tones = chord_at(backing.chords, start).tones
    allowed = (tones or backing.scale) if is_strong else tones | backing.scale
    low, high = backing.middle - REACH, backing.middle + REACH
    keys = backing.sounding(start, end)
    notes = [
        _held(Note(start, end, pitch, 64), backing.chords) for pitch in range(low, high + 1) if pitch % 12 in allowed
    ]

    def cost(note: Note) -> tuple[float, int]:
        step = abs(note.note - last)
        clash = _clash(note, keys)
        return (
            abs(note.note - aim)
            + 2 * max(0, step - WIDEST_STEP)
            + 2.5 * (step == 0 and aim != last)
            + (50 if clash >= TICKS_PER_BEAT else clash / SIXTEENTH)
            + 2 * (note.end - note.start < min(end - start, TICKS_PER_BEAT)),
            note.note,
        )

    best = min(notes, key=cost)
    return replace(best, end=start + SIXTEENTH) if _clash(best, keys) >= TICKS_PER_BEAT else best


def _held(note: Note, chords: Sequence[Chord]) -> Note:
    """Return the note, cut where a chord begins that does not contain it."""
    for tick in range((note.start // TICKS_PER_BEAT + 1) * TICKS_PER_BEAT, note.end, TICKS_PER_BEAT):
        tones = chord_at(chords, tick).tones
        if tones and note.note % 12 not in tones:
            return replace(note, end=tick)
    return note


def _clash(note: Note, keys: Sequence[Note]) -> Tick:
    """Return the longest time in ticks that a note clashes with a note of the keys."""
    times = (
        min(note.end, other.end) - max(note.start, other.start)
        for other in keys
        if abs(other.note - note.note) in _CLASHES
    )
    return max(times, default=0)
