"""The bass: no model of its own, it follows the kick with the chord's root and leads into the next chord."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from radio.compose.plan import BarPlan
from radio.music.chords import Chord
from radio.music.events import Note, NoteEvent
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT, Tick

KICKS: Final = frozenset({35, 36})
LOWEST: Final = 28
"""E1, a bass guitar's lowest string."""

_GRID: Tick = TICKS_PER_BEAT // 2
_LONGEST: Tick = 2 * TICKS_PER_BEAT
_APPROACH: Tick = TICKS_PER_BAR - _GRID


def root_note(chord: Chord) -> int:
    """The chord's root between E1 and D♯2."""
    return LOWEST + (chord.root - LOWEST) % 12


def bass_line(plan: BarPlan, following: Chord, drums: Sequence[NoteEvent]) -> list[NoteEvent]:
    """The bass of one bar: the root on the bar line, where a chord begins and, an eighth or more apart, on the kicks.

    A kick in the last eighth is answered a semitone below the next root where the chord changes. All notes end within
    the bar, so the line needs no memory. Bars that the conductor left empty have no bass.

    Args:
        following: the next bar's first chord.
        drums: the drummer's events of this bar.
    """
    if plan.densities["piano"] == 0 or plan.chords[0].quality == "none":
        return []
    kicks = {event.tick - plan.tick for event in drums if event.note in KICKS and event.velocity}
    begins = [(number - 1) * TICKS_PER_BEAT for number in range(2, BEATS_PER_BAR + 1) if plan.begins_chord(number)]
    onsets = [0]
    for tick in sorted(kicks | set(begins)):
        clear = all(abs(tick - begin) >= _GRID for begin in begins if begin != tick)
        if tick - onsets[-1] >= _GRID and tick < TICKS_PER_BAR and clear:
            onsets.append(tick)
    notes = []
    for onset, end in zip(onsets, [*onsets[1:], TICKS_PER_BAR], strict=True):
        chord = plan.chords[onset // TICKS_PER_BEAT]
        leads = onset >= _APPROACH and following.root != chord.root and following.quality != "none"
        note = root_note(following) - 1 if leads else root_note(chord)
        velocity = 84 if onset == 0 else 74
        notes.append(Note(onset, min(end, onset + _LONGEST), note, velocity))
    return [
        event
        for note in notes
        for event in (
            NoteEvent(plan.tick + note.start, note.note, note.velocity),
            NoteEvent(plan.tick + note.end, note.note, 0),
        )
    ]
