"""Notes and marks → tokens, and tokens → events, one token at a time.

Order within one tick: marks as given, then releases, then strikes, both by pitch. That is also the order in which the
host feeds and samples, so a model sees on air what it saw in training.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from radio.music.events import Mark, Note, NoteEvent
from radio.music.vocab import (
    MAX_WAIT,
    bin_to_velocity,
    note_token,
    parse_note_token,
    velocity_to_bin,
    wait_ticks,
    wait_token,
)
from radio.types import Tick, TokenId

HOLD_LIMIT: Tick = 800
"""A note held this long is released on decoding: 5 s at 80 beats a minute, the thesis's rule on our clock."""

DRUM_GATE: Tick = 30
"""Drums carry no note-note_offs: a hit is released a sixteenth later."""


def encode(
    notes: Iterable[Note], marks: Sequence[Mark] = (), *, note_offs: bool = True, end: Tick | None = None
) -> list[TokenId]:
    """Tokens of a piece that starts at tick 0.

    Args:
        notes: in any order; a note that is struck while it sounds is released at that tick first.
        marks: control tokens, in the order they are to stand within a tick.
        note_offs: False leaves releases out (drums).
        end: let waits run on to this tick.

    Returns:
        token ids, without `<start>` or `<end>`.
    """
    # kind 0 marks, 1 releases, 2 strikes: the order within a tick.
    steps: list[tuple[Tick, int, int, TokenId]] = [
        (mark.tick, 0, place, mark.token) for place, mark in enumerate(sorted(marks, key=lambda mark: mark.tick))
    ]
    for note in remove_overlaps(notes):
        steps.append((note.start, 2, note.note, note_token(note.note, max(1, velocity_to_bin(note.velocity)))))
        if note_offs:
            steps.append((note.end, 1, note.note, note_token(note.note, 0)))
    steps.sort()
    tokens: list[TokenId] = []
    now = 0
    for tick, _, _, token in steps:
        tokens += wait_tokens(tick - now)
        tokens.append(token)
        now = tick
    if end is not None:
        tokens += wait_tokens(end - now)
    return tokens


def wait_tokens(ticks: int) -> list[TokenId]:
    """Wait tokens that sum to `ticks` (nothing for ticks ≤ 0)."""
    if ticks <= 0:
        return []
    whole, rest = divmod(ticks, MAX_WAIT)
    return [wait_token(MAX_WAIT)] * whole + ([wait_token(rest)] if rest else [])


def remove_overlaps(notes: Iterable[Note]) -> list[Note]:
    """The same notes, each pitch sounding once at a time: an earlier one ends where the next is struck.

    Of several strikes of one pitch on one tick the loudest stays, with the longest end. Notes last at least a tick.
    """
    by_pitch: dict[int, list[Note]] = {}
    for note in sorted(notes, key=lambda note: (note.start, note.note)):
        line = by_pitch.setdefault(note.note, [])
        last = line[-1] if line else None
        if last and last.start == note.start:
            line[-1] = Note(last.start, max(last.end, note.end), note.note, max(last.velocity, note.velocity))
            continue
        if last and last.end > note.start:
            line[-1] = Note(last.start, note.start, last.note, last.velocity)
        line.append(note)
    return sorted(
        Note(note.start, max(note.end, note.start + 1), note.note, note.velocity)
        for line in by_pitch.values()
        for note in line
    )


class TokenDecoder:
    """Tokens → events, incrementally: any token sequence at all gives valid MIDI with no hanging note.

    A repeated note is released before it sounds again; a release of a silent note is dropped; a note held for
    `hold_limit` ticks is released. Control and special tokens pass without effect.
    """

    def __init__(self, *, hold_limit: Tick = HOLD_LIMIT, tick: Tick = 0) -> None:
        self.tick = tick
        self.hold_limit = hold_limit
        self._struck: dict[int, Tick] = {}

    @property
    def sounding(self) -> dict[int, Tick]:
        """Notes that sound now, and the tick each was struck at."""
        return dict(self._struck)

    def feed(self, token: TokenId) -> list[NoteEvent]:
        """The events that `token` brings, in order of tick."""
        if ticks := wait_ticks(token):
            return self._pass(ticks)
        pair = parse_note_token(token)
        if pair is None:
            return []
        note, velocity_bin = pair
        events = []
        if note in self._struck:
            del self._struck[note]
            events.append(NoteEvent(self.tick, note, 0))
        if velocity_bin:
            self._struck[note] = self.tick
            events.append(NoteEvent(self.tick, note, bin_to_velocity(velocity_bin)))
        return events

    def flush(self) -> list[NoteEvent]:
        """Release all that sounds, now."""
        events = [NoteEvent(self.tick, note, 0) for note in sorted(self._struck)]
        self._struck.clear()
        return events

    def _pass(self, ticks: Tick) -> list[NoteEvent]:
        self.tick += ticks
        due = sorted(
            (struck + self.hold_limit, note)
            for note, struck in self._struck.items()
            if struck + self.hold_limit <= self.tick
        )
        for _, note in due:
            del self._struck[note]
        return [NoteEvent(tick, note, 0) for tick, note in due]


def decode(tokens: Iterable[TokenId], *, hold_limit: Tick = HOLD_LIMIT) -> list[NoteEvent]:
    """All events of `tokens`, every note released at the end."""
    decoder = TokenDecoder(hold_limit=hold_limit)
    events = [event for token in tokens for event in decoder.feed(token)]
    return events + decoder.flush()


def events_to_notes(events: Iterable[NoteEvent]) -> list[Note]:
    """Whole notes from events in order of tick; notes still sounding at the end are left out."""
    struck: dict[int, NoteEvent] = {}
    notes = []
    for event in events:
        start = struck.pop(event.note, None)
        if start is not None:
            notes.append(Note(start.tick, event.tick, event.note, start.velocity))
        if event.velocity:
            struck[event.note] = event
    return sorted(notes)
