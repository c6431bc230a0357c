"""Encoding of notes and marks as tokens, and incremental decoding of tokens to events.

Order within a tick: marks in the given order, then releases, then strikes, both sorted by pitch. On air the host feeds
and samples tokens in the same order, so the model sees the same order as in training.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
"""Decoding releases notes after this time: 5 s at 80 beats per minute, as in the reference thesis."""

DRUM_GATE: Tick = 30
"""Decoding releases drum hits, which have no note-offs, after a sixteenth note."""


def encode(
    notes: Iterable[Note], marks: Sequence[Mark] = (), *, note_offs: bool = True, end: Tick | None = None
) -> list[TokenId]:
    """Encode a piece that starts at tick 0.

    Args:
        notes: in any order; a note that is struck while it sounds is released at that tick first.
        marks: control tokens; marks of one tick keep their order.
        note_offs: False omits releases (drums).
        end: append waits up to this tick.

    Returns:
        The token ids, without `<start>` and `<end>`.
    """
    # The second item sorts within a tick: 0 for marks, 1 for releases, 2 for strikes.
    steps: list[tuple[Tick, int, int, TokenId]] = [
        (mark.tick, 0, index, mark.token) for index, mark in enumerate(sorted(marks, key=lambda mark: mark.tick))
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
    """Return wait tokens that sum to `ticks`; none if `ticks` ≤ 0."""
    if ticks <= 0:
        return []
    whole, rest = divmod(ticks, MAX_WAIT)
    return [wait_token(MAX_WAIT)] * whole + ([wait_token(rest)] if rest else [])


def remove_overlaps(notes: Iterable[Note]) -> list[Note]:
    """Return the notes without overlaps of equal pitch: a note ends when the next note of its pitch starts.

    Notes of equal pitch and start are merged to the loudest velocity and the latest end. Notes last at least one tick.
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


@dataclass(frozen=True, slots=True)
class DecoderState:
    """The state of a decoder between two tokens; `struck` has the start tick of each sounding note."""

    tick: Tick
    hold_limit: Tick
    struck: Mapping[int, Tick]


class TokenDecoder:
    """An incremental decoder from tokens to events.

    Any sequence of tokens gives valid MIDI without hanging notes: a note that is struck again is released first, the
    release of a silent note is ignored, and a note is released after `hold_limit` ticks at the latest. Control and
    special tokens have no effect.
    """

    def __init__(self, *, hold_limit: Tick = HOLD_LIMIT, tick: Tick = 0) -> None:
        self.tick = tick
        self.hold_limit = hold_limit
        self._struck: dict[int, Tick] = {}

    @property
    def sounding(self) -> dict[int, Tick]:
        """The sounding notes, each with its start tick."""
        return dict(self._struck)

    def feed(self, token: TokenId) -> list[NoteEvent]:
        """Return the events that `token` causes, sorted by tick."""
        if ticks := wait_ticks(token):
            return self._advance(ticks)
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
        """Release all sounding notes at the current tick."""
        events = [NoteEvent(self.tick, note, 0) for note in sorted(self._struck)]
        self._struck.clear()
        return events

    def save(self) -> DecoderState:
        """Return everything that the next event depends on."""
        return DecoderState(self.tick, self.hold_limit, dict(self._struck))

    def restore(self, saved: DecoderState) -> None:
        """Continue from a saved state."""
        self.tick, self.hold_limit, self._struck = saved.tick, saved.hold_limit, dict(saved.struck)

    def _advance(self, ticks: Tick) -> list[NoteEvent]:
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
    """Decode all `tokens`, and release the notes that sound at the end."""
    decoder = TokenDecoder(hold_limit=hold_limit)
    events = [event for token in tokens for event in decoder.feed(token)]
    return events + decoder.flush()


def events_to_notes(events: Iterable[NoteEvent]) -> list[Note]:
    """Return the notes of events, which are sorted by tick. Notes that are not released are dropped."""
    struck: dict[int, NoteEvent] = {}
    notes = []
    for event in events:
        strike = struck.pop(event.note, None)
        if strike is not None:
            notes.append(Note(strike.tick, event.tick, event.note, strike.velocity))
        if event.velocity:
            struck[event.note] = event
    return sorted(notes)
