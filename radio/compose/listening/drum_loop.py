"""The drum loop of a song: the two consecutive bars that are repeated most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from radio.compose.phrase import Phrase, phrase_of
from radio.music.drum_pads import PADS
from radio.music.events import Note
from radio.music.parts import DRUMS
from radio.music.quantize import quantize
from radio.music.tokenizer import DRUM_GATE
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT

_BARS = 2
_FEWEST = 4
"""Fewest hits in a bar that counts as a groove."""


def find_drum_loop(hits: Sequence[Note]) -> Phrase | None:
    """Return two bars of a song's drums, on the radio's pads and grid; None if it has no groove."""
    placed = quantize(
        DRUMS,
        [
            (note.start / TICKS_PER_BEAT, note.end / TICKS_PER_BEAT, PADS[note.note], note.velocity)
            for note in hits
            if note.note in PADS
        ],
    )
    bars: dict[int, list[Note]] = {}
    for note in placed:
        bars.setdefault(note.start // TICKS_PER_BAR, []).append(note)
    patterns = {
        number: frozenset((note.start % TICKS_PER_BAR, note.note) for note in notes) for number, notes in bars.items()
    }
    pairs = {
        number: (patterns[number], patterns[number + 1])
        for number in patterns
        if number % _BARS == 0
        and number + 1 in patterns
        and min(map(len, (patterns[number], patterns[number + 1]))) >= _FEWEST
    }
    if not pairs:
        return None
    single = Counter(pattern for pair in pairs.values() for pattern in pair)
    whole = Counter(pairs.values())

    def merit(number: int) -> tuple[int, int, int]:
        return whole[pairs[number]], sum(single[pattern] for pattern in pairs[number]), -number

    first = max(pairs, key=merit)
    notes = [
        Note(start, start + DRUM_GATE, note.note, note.velocity)
        for offset in range(_BARS)
        for note in bars[first + offset]
        for start in [note.start - first * TICKS_PER_BAR]
    ]
    return phrase_of(notes, _BARS)
