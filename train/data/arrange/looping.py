"""Tracks made of loops: phrases of an arranged piece, shaped into a texture, that repeat with small variations.

A model trained only on whole songs has never seen a phrase repeated for a minute. These tracks are built like the
radio's own: one texture, phrase A several times, then B, then A. The last bar before another phrase, and every eighth
one, may turn to other chord tones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from radio.compose.keys import shape, without_foreign_tones
from radio.compose.phrase import Phrase, chord_at, phrase_of, top_line
from radio.compose.texture import Texture, draw_texture
from radio.music.chords import Chord
from radio.music.events import Note
from radio.music.parts import PIANO
from radio.music.tokenizer import remove_overlaps
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR
from train.data.corpus.piece import Piece

SPAN: Final = 16
"""Bars of a piece in one track: eight for each phrase."""

LENGTHS: Final = ((2, 4, 8), (0.25, 0.55, 0.2))
ORDERS: Final = ("AAB", "AABA", "ABA", "AAABA")
SECTION_BARS: Final = 8
TURNS: Final = 0.5
"""Share of the last bars of sections that turn."""
MOVED: Final = 0.6
"""Share of the notes of the top line that a turn moves."""
WEIGHT: Final = 0.7
"""Weight of a track in training relative to a whole piece: tracks are shorter, and there are more of them."""


def tracks(piece: Piece, random: Random) -> Iterator[Piece]:
    """Yield tracks made of loops, one for each sixteen bars of an arranged piece with chords."""
    if not piece.chords:
        return
    for number, first in enumerate(range(0, piece.bars - SPAN + 1, SPAN)):
        texture = draw_texture(random)
        bars = random.choices(*LENGTHS)[0]
        phrases = {name: _phrase(piece, first + place, bars, texture) for name, place in (("A", 0), ("B", SPAN // 2))}
        if all(len(phrase.notes) >= 2 * phrase.bars for phrase, _ in phrases.values()):
            track = _track(phrases, random)
            yield replace(track, name=f"{piece.name}/loops-{number}", split=piece.split, texture=texture.kind)


def _phrase(piece: Piece, first: int, bars: int, texture: Texture) -> tuple[Phrase, list[Chord]]:
    """Return `bars` bars of the piece, starting at bar `first`, shaped into the texture, and their chords."""
    start = first * TICKS_PER_BAR
    chords = list(piece.chords[first * BEATS_PER_BAR : (first + bars) * BEATS_PER_BAR])
    notes = (replace(note, start=note.start - start, end=note.end - start) for note in piece.notes)
    cut = phrase_of(notes, bars)
    return without_foreign_tones(shape(cut, chords, texture), chords), chords


def _track(phrases: dict[str, tuple[Phrase, list[Chord]]], random: Random) -> Piece:
    notes: list[Note] = []
    chords: list[Chord] = []
    bars = 0
    for name in random.choice(ORDERS):
        phrase, harmony = phrases[name]
        for place in range(SECTION_BARS):
            tick = (bars + place) * TICKS_PER_BAR
            bar = phrase.bar(place, tick)
            if place == SECTION_BARS - 1 and random.random() < TURNS:
                bar = _turned(bar, harmony, place % phrase.bars * TICKS_PER_BAR - tick, random)
            notes += bar
            chords += [harmony[(place * BEATS_PER_BAR + beat) % len(harmony)] for beat in range(BEATS_PER_BAR)]
        bars += SECTION_BARS
    kept = remove_overlaps(replace(note, end=min(note.end, bars * TICKS_PER_BAR)) for note in notes)
    return Piece("", PIANO, "train", bars, kept, chords, weight=WEIGHT)


def _turned(bar: Sequence[Note], chords: Sequence[Chord], move: int, random: Random) -> list[Note]:
    """Return the bar with notes of its top line on other chord tones; `move` converts its ticks to the phrase's."""
    top = set(top_line(bar))
    turned = []
    for note in bar:
        tones = chord_at(chords, note.start + move).tones
        near = [pitch for pitch in range(note.note - 7, note.note + 8) if pitch % 12 in tones and pitch != note.note]
        moves = note in top and near and random.random() < MOVED
        turned.append(replace(note, note=random.choice(near)) if moves else note)
    return turned
