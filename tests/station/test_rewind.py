"""Rewinding a station that has rendered ahead: the same music up to a change, and the changed music after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from radio.settings.station import StationSettings
from radio.station.factory import open_station
from radio.station.station import Station
from radio.types import SAMPLE_RATE, SKIP, Block, Frames, StationEvent
from tests.station import test_station
from tests.station.test_station import BAR

# FluidSynth ramps the first 64 frames of a note from the gain of the note that used its voice before. So a rewound
# station may have other samples if notes take other voices; with all candidates they take the same ones.
pytestmark = pytest.mark.usefixtures("all_candidates")

settings = test_station.settings
SEED = 5
STEP = 3_840
AT: Frames = 4 * BAR + 12_345
"""The frame of the changes: within a bar, and more than the preroll after the beginning."""

CHANGES: dict[str, Callable[[Station], object]] = {
    "nothing": lambda station: station.control({}),
    "a level": lambda station: station.control({"drums_level": -9.0}),
    "a mute": lambda station: station.control({"keys_mute": True}),
    "a tempo, in steps": lambda station: station.control({"tempo": 90.0}, ({"tempo": 85.0}, {"tempo": 80.0})),
    "density and mood": lambda station: station.control({"density": 0.9, "mood": "sad"}),
    "a skip": lambda station: station.act(SKIP),
}

QUICK = ("a tempo, in steps",)


@dataclass
class Played:
    """The music of a station, and the next frame to mix when it was changed."""

    audio: Block
    events: list[StationEvent]
    changed: Frames


def play(station: Station, until: Frames, *, marks: bool) -> tuple[Block, list[StationEvent]]:
    """Play to `until`, with a mark every second."""
    blocks: list[Block] = []
    next_mark = station.position
    while (missing := until - station.position) > 0:
        if marks and station.position >= next_mark:
            next_mark += SAMPLE_RATE
            station.mark()
        blocks.append(station.render(min(STEP, missing)))
    return np.concatenate(blocks) if blocks else np.zeros((0, 2), np.float32), station.events()


def without_rewind(station: Station, change: Callable[[Station], object]) -> Played:
    """Play, change the station once, and keep playing."""
    before, events = play(station, AT, marks=False)
    mixed = station.mixed
    change(station)
    after, more = play(station, 7 * BAR, marks=False)
    return Played(np.concatenate((before, after)), events + more, mixed)


def with_rewind(station: Station, change: Callable[[Station], object], ahead: Frames) -> Played:
    """Do the same with a station that is `ahead` when the change comes, and rewinds."""
    before, events = play(station, AT + ahead, marks=True)
    station.forget(AT)
    assert station.rewind(AT)
    assert AT - SAMPLE_RATE - STEP <= station.position <= AT
    play(station, AT, marks=False)
    station.control({"tempo": 60.0, "bass_mute": True})  # a change that is not settled has no effect
    station.branch()
    play(station, AT + SAMPLE_RATE, marks=False)
    assert station.rewind(AT)
    play(station, AT, marks=False)
    mixed = station.mixed
    change(station)
    station.branch()
    station.settle()
    after, more = play(station, 7 * BAR, marks=False)
    earlier = [event for event in events if event.frame < AT]
    return Played(np.concatenate((before[:AT], after)), earlier + more, mixed)


@pytest.fixture
def opened(settings: StationSettings) -> Iterator[Callable[[], Station]]:
    stations: list[Station] = []

    def open_another() -> Station:
        stations.append(open_station(settings, seed=SEED))
        return stations[-1]

    yield open_another
    for station in stations:
        station.close()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in CHANGES]
)
def test_a_change_after_a_rewind_sounds_as_if_the_station_had_never_been_ahead(
    name: str, opened: Callable[[], Station]
) -> None:
    change = CHANGES[name]
    expected, played = without_rewind(opened(), change), with_rewind(opened(), change, 5 * SAMPLE_RATE)
    assert played.events == expected.events
    assert played.changed == expected.changed
    residual = np.abs(played.audio - expected.audio).max()
    assert residual < 1e-5
