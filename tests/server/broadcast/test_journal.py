"""The journal is long enough for the longest export, and no longer."""

from __future__ import annotations

from radio.server.api.events import read_event
from radio.server.broadcast.journal import LONGEST, Journal
from radio.station.aired import PREROLL
from radio.types import SAMPLE_RATE, Frames, StationEvent
from tests.server.broadcast.test_worker_runs import run
from tests.server.tone_worker import bar_event

SECOND: Frames = SAMPLE_RATE
BAR: Frames = 4 * SECOND


def played(end: Frames) -> Journal:
    """Return the journal of a station with a note per second."""
    journal = Journal()
    for frame in range(0, end, SECOND):
        if frame % BAR == 0:
            journal.add(read_event(bar_event(frame, number=frame // BAR)))
        journal.add(read_event(StationEvent(frame, "note", {"layer": "keys", "note": 69, "velocity": 80, "tick": 0})))
    return journal


def test_the_longest_export_is_known_after_an_hour_and_older_events_are_forgotten() -> None:
    live = 3_603 * SECOND + 1_000
    journal = played(live)
    asked = live - round(LONGEST * SAMPLE_RATE)
    start, (passage,) = journal.passages([run()], live, LONGEST)
    assert start == passage.start == asked // BAR * BAR
    assert passage.end == live
    assert [bar.frame for bar in passage.bars] == list(range(start, live, BAR))
    first = -(-(start - PREROLL) // SECOND) * SECOND
    assert [note.frame for note in passage.notes] == list(range(first, live, SECOND))
    assert len(journal.notes) <= LONGEST + PREROLL / SECOND + 11
    assert len(journal.bars) <= len(journal.notes) / 4 + 1


def test_a_passage_ends_where_another_worker_begins_a_piece() -> None:
    live, begins = 60 * SECOND, 42 * SECOND
    later = run(number=1, origin=begins)
    start, passages = played(live).passages([run(), later], live, 30)
    assert start == 28 * SECOND
    assert [(passage.start, passage.end) for passage in passages] == [(start, begins), (0, live - begins)]
    assert passages[1].notes[0].frame == 0  # nothing of the piece before


def test_a_station_that_has_played_no_bar_has_no_passage() -> None:
    assert Journal().passages([run()], 7, 30) == (7, [])
    assert played(SECOND).passages([], 7, 30) == (7, [])
