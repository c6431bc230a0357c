"""Resuming from a snapshot: the same notes and bars, and the same sound once earlier notes have faded."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from radio.audio.loop_folder import LoopFolder
from radio.compose.bar import Bar
from radio.errors import SnapshotError
from radio.paths import CHECKPOINTS, STATIONS
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.station.audio_files import to_pcm
from radio.station.factory import open_station
from radio.station.resume import PREROLL, LogEntry, Snapshot
from radio.station.snapshot import decode
from radio.station.station import Station
from radio.types import MIX_BLOCK, SAMPLE_RATE, SKIP, Block, StationEvent
from tests.station import test_station
from tests.station.test_station import BAR

settings = test_station.settings
SEED = 5
CHANGES = {
    5 * BAR: {"tempo": 92.0},
    6 * BAR: {"keys_level": -6.0, "mood": "sad"},
    7 * BAR: {"rain_mute": False, "density": 0.9},
}
LATER = {5 * BAR: ({"tempo": 90.0, "drums_level": -2.0}, {"tempo": 88.0}, {"tempo": 86.0})}
"""Steps in the bars after a change; some are still pending in the snapshots."""
SKIP_AT = 8 * BAR


@dataclass
class Undisturbed:
    """The music of a station, and everything that another one needs to resume it."""

    audio: Block
    events: list[StationEvent]
    snapshots: list[Snapshot]
    log: list[LogEntry]

    def since(self, snapshot: Snapshot, until: int) -> list[LogEntry]:
        levels = [LogEntry(taken.frame, level=taken.level) for taken in self.snapshots if taken.frame <= until]
        return sorted(
            (entry for entry in [*self.log, *levels] if entry.frame > snapshot.frame), key=lambda entry: entry.frame
        )


@pytest.fixture(scope="module")
def played(settings: StationSettings) -> Undisturbed:
    changes, skipped = dict(CHANGES), False
    with closing(open_station(settings, seed=SEED)) as station:
        blocks, events, snapshots, log = [], [], [], []
        while station.position < 12 * BAR:
            for frame in [frame for frame in changes if frame <= station.position]:
                later = LATER.get(frame, ())
                log.append(LogEntry(station.mixed, changes[frame], later=later))
                station.control(changes.pop(frame), later)
            if not skipped and station.position >= SKIP_AT:
                skipped = True
                log.append(LogEntry(station.mixed, action=SKIP))
                station.act(SKIP)
            blocks.append(station.render(MIX_BLOCK))
            events += station.events()
            if snapshot := station.take_snapshot():
                snapshots.append(snapshot)
    return Undisturbed(np.concatenate(blocks), events, snapshots, log)


@pytest.fixture
def other(settings: StationSettings) -> Iterator[Station]:
    with closing(open_station(settings, seed=SEED)) as station:
        yield station


@pytest.mark.parametrize("number", [3, pytest.param(6, marks=pytest.mark.slow)])
def test_another_station_resumes_at_a_bar_line(played: Undisturbed, other: Station, number: int) -> None:
    """Changes of controls, a mood and a skipped track happen both in the replayed part and after it."""
    snapshot = played.snapshots[number]
    seam = snapshot.frame + PREROLL
    other.render(3 * MIX_BLOCK)  # a station that is already playing can go back, too
    other.resume(snapshot.data, played.since(snapshot, seam))
    other.render(seam - other.position)
    other.events()
    sound = other.render(len(played.audio) - seam)
    assert [event for event in other.events() if event.frame >= seam] == [
        event for event in played.events if event.frame >= seam and event.frame < len(played.audio)
    ]
    residual = np.abs(sound - played.audio[seam:]).max(axis=1)
    # FluidSynth ramps the first 64 frames of a note from the level of the voice that it reuses.
    assert 10 * np.log10(np.mean(residual**2) + 1e-15) < -75
    assert np.median(residual) < 1e-6


def test_a_resumed_station_composes_nothing_before_the_snapshot(played: Undisturbed, settings: StationSettings) -> None:
    snapshot, bars = played.snapshots[3], list[Bar]()
    end = snapshot.frame + 2 * BAR
    with closing(open_station(settings, seed=SEED, on_bar=bars.append, begins=False)) as station:
        assert bars == []
        station.resume(snapshot.data, played.since(snapshot, end))
        station.render(end - station.position)
        events = [event for event in station.events() if event.frame >= snapshot.frame]
    assert events == [event for event in played.events if snapshot.frame <= event.frame < end]
    assert len(bars) <= 4


def test_a_station_resumes_from_its_beginning(played: Undisturbed, other: Station) -> None:
    other.resume(b"", played.log)
    np.testing.assert_array_equal(other.render(7 * BAR), played.audio[: 7 * BAR])
    events = [event for event in played.events if event.frame < 7 * BAR]
    assert other.events() == events


def test_a_snapshot_takes_at_most_half_a_megabyte_with_the_shipped_models() -> None:
    with closing(open_station(load(STATIONS).stations["chill"], seed=SEED)) as station:
        station.render(4 * BAR)
        snapshot = station.take_snapshot()
    assert snapshot is not None
    assert len(snapshot.data) < 500_000


def test_the_timing_of_a_layer_that_rests_advances_with_the_bars(played: Undisturbed) -> None:
    """Otherwise it would catch up in its first bar, which would take seconds after some days."""
    state = decode(played.snapshots[6].data)
    assert {feel.drift.knot // 16 for feel in state.feels.values()} <= {5, 6}, "16 knots in a bar"


def test_loops_from_files_resume_at_their_position(settings: StationSettings, tmp_path: Path) -> None:
    for name, seconds in (("a", 0.7), ("b", 1.1)):
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as file:
            file.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
            sound = np.random.default_rng(len(name)).uniform(-0.1, 0.1, (round(seconds * SAMPLE_RATE), 2))
            file.writeframes(to_pcm(sound.astype(np.float32)))
    whole = LoopFolder(tmp_path).render(10 * SAMPLE_RATE)
    part = LoopFolder(tmp_path)
    for frame in (0, 7, 30_000, 33_599, 33_600, 70_001, 86_400, 123_456, 400_000):
        part.seek(frame)
        np.testing.assert_array_equal(part.render(1_000), whole[frame : frame + 1_000])


def test_a_damaged_snapshot_is_refused(played: Undisturbed, other: Station) -> None:
    data = played.snapshots[2].data
    for end in {*range(0, len(data), len(data) // 40), 5, 14, 15, len(data) - 1}:
        with pytest.raises(SnapshotError):
            decode(data[:end])
    with pytest.raises(SnapshotError, match="radio-state-"):
        decode(b"radio-state-0" + data[13:])
    with pytest.raises(SnapshotError):
        other.resume(data[:-1], [])


def test_a_snapshot_of_other_models_is_refused(played: Undisturbed, settings: StationSettings) -> None:
    larger = replace(settings, piano=CHECKPOINTS / "piano.safetensors")
    with (
        closing(open_station(larger, seed=SEED)) as station,
        pytest.raises(SnapshotError, match="does not fit this station"),
    ):
        station.resume(played.snapshots[2].data, [])
