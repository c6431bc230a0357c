"""The snapshots that a station keeps, and the amount of audio that is rendered again from one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from radio.server.broadcast.piece import WARM_UP, Piece
from radio.server.broadcast.restarting_worker import StartedStation
from radio.server.broadcast.snapshots import LONGEST_BAR, SPACING
from radio.station.resume import PREROLL, Snapshot
from radio.types import SAMPLE_RATE, Frames
from radio.worker.pcm_ring import RESERVE
from tests.server.tone_worker import settings

BAR: Frames = 120_000
"""Two and a half seconds: a bar at 96 BPM."""

MOST: Frames = PREROLL + WARM_UP + SPACING + BAR
"""Most frames that a station may render before the first audio that listeners hear."""

AHEAD: Frames = round(RESERVE * SAMPLE_RATE)


def played() -> Iterator[tuple[Piece, Frames]]:
    """Yield a piece at many positions of its live edge; the worker's clock starts a second after the channel's."""
    piece = Piece(settings(seed=5))
    piece.offset = SAMPLE_RATE
    piece.add_run(StartedStation(piece.settings, {}, 0, resumed=False))
    taken = BAR
    for live in range(SAMPLE_RATE, 60 * SAMPLE_RATE, 3 * SAMPLE_RATE // 4):
        while taken <= live + AHEAD - piece.offset:
            piece.add_snapshot(Snapshot(taken, b"level", b"state"), live)
            taken += BAR
        yield piece, live


def test_a_restarted_radio_renders_little_before_its_first_audio() -> None:
    for piece, live in played():
        saved = piece.saved(live, [])
        assert saved is not None
        other = Piece(piece.settings)
        other.take_over(saved)
        start, resume = other.next_start({}, live - other.offset, past=WARM_UP, with_events=True)
        assert start.seed == piece.settings.seed
        assert resume is not None
        assert resume.frame == live - piece.offset
        if not saved.snapshot.data:
            assert resume.frame < MOST
            continue
        assert resume.frame - saved.snapshot.frame <= MOST
        assert resume.sound_from == saved.snapshot.frame + PREROLL <= resume.frame - WARM_UP
        assert resume.events_from == saved.snapshot.frame


@pytest.mark.parametrize("reserve", [0, 3 * SAMPLE_RATE, AHEAD])
def test_the_next_worker_has_complete_sound_from_the_live_edge_onward(reserve: Frames) -> None:
    for piece, live in played():
        frame = live + reserve - piece.offset
        _, resume = piece.next_start({}, frame, past=reserve + WARM_UP, with_events=False)
        assert resume is not None
        assert resume.sound_from <= max(0, frame - reserve - WARM_UP)
        assert resume.events_from == resume.frame == frame


def test_snapshots_that_are_no_longer_needed_are_dropped() -> None:
    for piece, live in played():
        _, earliest = piece.next_start({}, live - piece.offset, past=10**9, with_events=True)
        assert earliest is not None
        kept = live - piece.offset - WARM_UP - earliest.events_from
        assert kept <= PREROLL + LONGEST_BAR + SPACING + BAR
