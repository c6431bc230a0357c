"""Phrases: a few bars of one layer, written once and played repeatedly.

Lo-fi is made of loops: in real keyboard loops, 57% of the bars recur unchanged after four bars. The ticks of a phrase
count from its own first bar line, so that it can be placed anywhere, varied, and fed through a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from radio.music.chords import Chord
from radio.music.events import Note, NoteEvent
from radio.music.tokenizer import events_to_notes
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, Tick


@dataclass(frozen=True, slots=True)
class Phrase:
    """The notes of `bars` bars, sorted by start; none sounds beyond the end."""

    bars: int
    notes: tuple[Note, ...]

    @property
    def end(self) -> Tick:
        """The bar line after the last bar."""
        return self.bars * TICKS_PER_BAR

    def bar(self, place: int, tick: Tick) -> list[Note]:
        """Return the notes that start in bar `place` of the phrase, moved so that this bar begins at `tick`.

        Args:
            place: Counted from 0; it wraps around after the last bar.
            tick: A bar line of the station.
        """
        start = place % self.bars * TICKS_PER_BAR
        return [
            Note(note.start - start + tick, note.end - start + tick, note.note, note.velocity)
            for note in self.notes
            if start <= note.start < start + TICKS_PER_BAR
        ]

    def transposed(self, semitones: int) -> Phrase:
        """Return the phrase moved by `semitones`."""
        return Phrase(self.bars, tuple(replace(note, note=note.note + semitones) for note in self.notes))


def phrase_of(notes: Iterable[Note], bars: int) -> Phrase:
    """Return a phrase of the given notes, cut at its end; notes of zero length are dropped."""
    end = bars * TICKS_PER_BAR
    cut = (note if note.end <= end else replace(note, end=end) for note in notes if 0 <= note.start < end)
    return Phrase(bars, tuple(sorted(note for note in cut if note.end > note.start)))


def phrase_from_events(events: Sequence[NoteEvent], start: Tick, bars: int) -> Phrase:
    """Return the phrase that was played from bar line `start`; notes that still sound at its end are cut there."""
    end = start + bars * TICKS_PER_BAR
    sounding: dict[int, NoteEvent] = {}
    for event in events:
        if event.velocity:
            sounding[event.note] = event
        else:
            sounding.pop(event.note, None)
    closing = [NoteEvent(end, note, 0) for note in sorted(sounding)]
    notes = events_to_notes([*events, *closing])
    return phrase_of((replace(note, start=note.start - start, end=note.end - start) for note in notes), bars)


def chord_at(chords: Sequence[Chord], tick: Tick) -> Chord:
    """Return the chord at `tick` of a phrase whose chords, one per beat, repeat."""
    return chords[tick // TICKS_PER_BEAT % len(chords)]


def top_line(notes: Iterable[Note]) -> list[Note]:
    """Return the highest note of each onset, in order."""
    highest: dict[Tick, Note] = {}
    for note in notes:
        if note.start not in highest or note.note > highest[note.start].note:
            highest[note.start] = note
    return [highest[start] for start in sorted(highest)]
