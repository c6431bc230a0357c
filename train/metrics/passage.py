"""Passages of bars with their notes and, for pitched parts, their chords: the input of the metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from radio.compose.plan import BarPlan
from radio.music.chords import NO_CHORD, Chord
from radio.music.events import Note
from radio.music.tokenizer import decode, events_to_notes
from radio.music.vocab import (
    BACKBEAT,
    DENSITIES,
    DENSITY_BASE,
    FILL,
    QUALITIES,
    QUALITY_BASE,
    ROOT_BASE,
    STYLE_BASE,
    STYLES,
    beat_token,
    is_attribute,
)
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick, TokenId

NEVER: Tick = 1_000 * TICKS_PER_BAR
"""Longer than any note: prepared pieces have no hanging notes to release."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Notes in order of their starts, the number of whole bars, and one chord per beat (none for drums)."""

    notes: Sequence[Note]
    bars: int
    chords: Sequence[Chord] = ()

    def chord_at(self, tick: Tick) -> Chord:
        """Return the chord at `tick`."""
        place = tick // TICKS_PER_BEAT
        return self.chords[place] if place < len(self.chords) else NO_CHORD

    def cut(self, bars: int) -> Iterator[Passage]:
        """Yield the whole passages of `bars`, each moved to tick 0. Notes end with their passage."""
        length = bars * TICKS_PER_BAR
        by_number: dict[int, list[Note]] = {}
        for note in self.notes:
            number = note.start // length
            start = number * length
            end = min(note.end - start, length)
            by_number.setdefault(number, []).append(Note(note.start - start, end, note.note, note.velocity))
        beats = bars * BEATS_PER_BAR
        for number in range(self.bars // bars):
            yield Passage(by_number.get(number, []), bars, self.chords[number * beats : (number + 1) * beats])

    @property
    def top_line(self) -> list[Note]:
        """The highest note of each onset, heard as the melody."""
        highest: dict[Tick, Note] = {}
        for note in self.notes:
            if note.start not in highest or note.note > highest[note.start].note:
                highest[note.start] = note
        return [highest[start] for start in sorted(highest)]


@dataclass(slots=True)
class _BarControls:
    """The control tokens of a bar of a prepared piece."""

    chords: list[Chord] = field(default_factory=list)
    density: int = 0
    style: str = ""
    fill: bool = False
    backbeat: bool = False
    attributes: list[TokenId] = field(default_factory=list)


def of_tokens(tokens: Sequence[TokenId], bars: int) -> Passage:
    """Return a prepared piece as a passage."""
    chords = tuple(chord for bar in _bar_controls(tokens) for chord in bar.chords)
    return Passage(events_to_notes(decode(tokens, hold_limit=NEVER)), bars, chords)


def plans_of(tokens: Sequence[TokenId], part: str) -> Iterator[BarPlan]:
    """Yield the controls of a prepared piece as plans for a model that plays `part`."""
    for number, bar in enumerate(_bar_controls(tokens)):
        chords = (bar.chords + [NO_CHORD] * BEATS_PER_BAR)[:BEATS_PER_BAR]
        yield BarPlan(
            number,
            "A",
            (chords[0], chords[1], chords[2], chords[3]),
            {part: bar.density},
            bar.style or STYLES[0],
            bar.fill,
            bar.backbeat,
            attributes=tuple(bar.attributes),
        )


def _bar_controls(tokens: Iterable[TokenId]) -> list[_BarControls]:
    bars: list[_BarControls] = []
    chord, root = NO_CHORD, 0
    for token in tokens:
        if beat_token(1) <= token <= beat_token(BEATS_PER_BAR):
            if token == beat_token(1):
                bars.append(_BarControls())
            bars[-1].chords.append(chord)
        elif ROOT_BASE <= token < ROOT_BASE + 12:
            root = token - ROOT_BASE
        elif QUALITY_BASE <= token < QUALITY_BASE + len(QUALITIES):
            quality = QUALITIES[token - QUALITY_BASE]
            chord = NO_CHORD if quality == "none" else Chord(root, quality)
            bars[-1].chords[-1] = chord
        elif DENSITY_BASE <= token < DENSITY_BASE + DENSITIES:
            bars[-1].density = token - DENSITY_BASE
        elif STYLE_BASE <= token < STYLE_BASE + len(STYLES):
            bars[-1].style = STYLES[token - STYLE_BASE]
        elif is_attribute(token):
            bars[-1].attributes.append(token)
        elif token in (FILL, BACKBEAT):
            bars[-1].fill |= token == FILL
            bars[-1].backbeat |= token == BACKBEAT
    return bars
