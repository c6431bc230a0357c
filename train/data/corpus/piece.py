"""Prepared pieces: bars of four beats with quantized notes, chords and labels, and their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from radio.music.attributes import PHRASE_BARS, measure
from radio.music.chords import NO_CHORD, Chord
from radio.music.events import Mark, Note
from radio.music.parts import Part
from radio.music.rhythm import has_backbeat
from radio.music.tokenizer import encode
from radio.music.vocab import BACKBEAT, FILL, GROOVE, START, beat_token, density_token, style_token
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick, TokenId

Split = Literal["train", "validation"]


@dataclass(slots=True)
class Piece:
    """A prepared piece. Notes are in ticks from the start of its first bar."""

    name: str
    part: Part
    split: Split
    bars: int
    notes: list[Note]
    chords: Sequence[Chord] = ()
    """One per beat, or empty."""
    labels: Sequence[TokenId] = field(default_factory=tuple)
    """Control tokens at each bar."""
    tempo: float = 0.0
    """Beats per minute as played; 0 if unknown."""
    weight: float = 1.0
    """The relative frequency with which training reads the piece."""
    texture: str = ""
    """The kind of texture of a track made of loops; empty for a whole piece."""

    def tokens(self) -> list[TokenId]:
        """Return `<start>` and the piece, with control tokens where the host would feed them."""
        notes = [note for note in self.notes if note.start < self.bars * TICKS_PER_BAR]
        marks = []
        hits: list[list[tuple[Tick, int]]] = [[] for _ in range(self.bars)]
        for note in notes:
            hits[note.start // TICKS_PER_BAR].append((note.start % TICKS_PER_BAR, note.note))
        attributes: tuple[TokenId, ...] = ()
        for bar in range(self.bars):
            if self.part.note_offs and bar % PHRASE_BARS == 0:
                attributes = self._attributes(notes, bar)
            for number in range(BEATS_PER_BAR):
                place = bar * BEATS_PER_BAR + number
                tick = place * TICKS_PER_BEAT
                marks.append(Mark(tick, beat_token(number + 1)))
                changes = number == 0 or self.chords[place : place + 1] != self.chords[place - 1 : place]
                if self.chords and changes:
                    marks += [Mark(tick, token) for token in self.chords[place].tokens]
                if number == 0:
                    marks += [Mark(tick, token) for token in self.labels]
                    marks += [Mark(tick, token) for token in attributes]
                    if not self.part.note_offs and has_backbeat(hits[bar]):
                        marks.append(Mark(tick, BACKBEAT))
                    marks.append(Mark(tick, density_token(self.part.density(len(hits[bar])))))
        return [START, *encode(notes, marks, note_offs=self.part.note_offs, end=self.bars * TICKS_PER_BAR)]

    def _attributes(self, notes: Sequence[Note], bar: int) -> tuple[TokenId, ...]:
        """Return the tokens that describe the phrase starting at `bar`."""
        bars = min(PHRASE_BARS, self.bars - bar)
        start, end = bar * TICKS_PER_BAR, (bar + bars) * TICKS_PER_BAR
        phrase = [replace(n, start=n.start - start, end=n.end - start) for n in notes if start <= n.start < end]
        return measure(phrase, bars).tokens


def trim(piece: Piece) -> Piece | None:
    """Drop empty bars at both ends, and all but the first of several in a row; return None if all are empty."""
    strikes = [0] * piece.bars
    for note in piece.notes:
        if note.start < piece.bars * TICKS_PER_BAR:
            strikes[note.start // TICKS_PER_BAR] += 1
    full = [bar for bar, count in enumerate(strikes) if count]
    if not full:
        return None
    numbers = [bar for bar in range(full[0], full[-1] + 1) if strikes[bar] or strikes[bar - 1]]
    return select_bars(piece, numbers)


def select_bars(piece: Piece, numbers: Sequence[int]) -> Piece:
    """Return only the bars `numbers`, joined; a note that extends into a dropped bar is cut off there."""
    place = {bar: new for new, bar in enumerate(numbers)}
    notes = []
    for note in piece.notes:
        bar = note.start // TICKS_PER_BAR
        if bar not in place:
            continue
        last = bar
        while last + 1 in place and (last + 1) * TICKS_PER_BAR < note.end:
            last += 1
        end = min(note.end, (last + 1) * TICKS_PER_BAR)
        move = (place[bar] - bar) * TICKS_PER_BAR
        notes.append(Note(note.start + move, end + move, note.note, note.velocity))
    chords = [
        piece.chords[bar * BEATS_PER_BAR + number] if piece.chords else NO_CHORD
        for bar in numbers
        for number in range(BEATS_PER_BAR)
    ]
    return replace(piece, bars=len(numbers), notes=notes, chords=chords if piece.chords else ())


def groove_labels(styles: Sequence[str], *, fill: bool) -> list[TokenId]:
    """Return the labels of a drum piece: its styles, then fill or groove."""
    return [*(style_token(name) for name in styles), FILL if fill else GROOVE]
