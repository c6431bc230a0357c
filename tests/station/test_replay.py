"""Tests of replaying and transcribing music that was on the air."""

from __future__ import annotations

import wave
import zipfile
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import mido
import numpy as np
import pytest

from radio.music import midi
from radio.server.api.events import read_event
from radio.server.broadcast.journal import LONGEST, Journal
from radio.server.broadcast.worker_runs import WorkerRun
from radio.settings.station import StationSettings
from radio.station import transcript
from radio.station.aired import PREROLL, AiredPassage, BarLine, PlayedNote
from radio.station.factory import open_station
from radio.station.replay import replay
from radio.station.tasks import Export
from radio.types import MIX_BLOCK, SAMPLE_RATE, SKIP, TICKS_PER_BAR, Landing, StationEvent
from tests.server.tone_worker import bar_event
from tests.station import test_station
from tests.station.test_station import BAR

settings = test_station.settings
ORIGIN = 7_000_000
"""The mount's frame at which the worker started."""


class AiredStation:
    """A station that was on the air for some bars, with its audio, its journal and its worker run."""

    def __init__(self, settings: StationSettings, bars: int) -> None:
        self.settings = replace(settings, seed=5)
        station = open_station(self.settings)
        self.journal = Journal()
        self.run = WorkerRun(0, self.settings, 0.0, ORIGIN, {})
        blocks = []
        changes = {
            3 * BAR // MIX_BLOCK: {"keys_level": 3.0, "lowpass": 4_000},
            8 * BAR // MIX_BLOCK: {"wow": 1.0, "tempo": 96},
        }
        changes[9 * BAR // MIX_BLOCK] = {"rain_mute": False, "bass_mute": True, "ambience": "fire"}
        for number in range(bars * BAR // MIX_BLOCK):
            if patch := changes.get(number):
                landings = station.control(patch)
                mount_landings = {name: Landing(at.bar, at.frame + ORIGIN) for name, at in landings.items()}
                self.run.change_controls(mount_landings, station.controls.as_json())
            blocks.append(station.render(MIX_BLOCK))
            for event in station.events():
                self.journal.add(read_event(event, ORIGIN))
        station.close()
        self.audio = np.concatenate(blocks)

    def passages(self, seconds: float) -> list[AiredPassage]:
        _, passages = self.journal.passages([self.run], ORIGIN + len(self.audio), seconds)
        return passages


@pytest.fixture(scope="module")
def aired(settings: StationSettings) -> AiredStation:
    return AiredStation(settings, bars=12)


def replayed(passage: AiredPassage, *, separate: bool = False) -> dict[str, np.ndarray]:
    blocks = list(replay(passage, separate=separate))
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


@pytest.mark.parametrize("seconds", [*(pytest.param(seconds, marks=pytest.mark.slow) for seconds in (600, 20)), 3])
def test_a_replay_has_the_same_samples(aired: AiredStation, seconds: float) -> None:
    """A replay from the worker's start is equal except at the beginnings of notes; a later one is nearly equal."""
    (passage,) = aired.passages(seconds)
    requested = min(len(aired.audio), seconds * SAMPLE_RATE)
    assert requested <= passage.end - passage.start <= requested + 2 * BAR
    again = replayed(passage)["mix"]
    original = aired.audio[passage.start : passage.end]
    assert again.shape == original.shape
    if passage.start <= PREROLL:
        # FluidSynth ramps the first 64 frames of a note from the gain of the note that used its voice before.
        assert np.mean(np.abs(again - original) > 1e-6) < 1e-4
        assert np.abs(again - original).max() < 0.05
    else:
        # Models with random weights strike pads and never release them: they ring for minutes.
        assert np.mean(np.abs(again - original) > 1e-4) < 0.05
        assert np.corrcoef(again[:, 0], original[:, 0])[0, 1] > 0.9999


@pytest.mark.slow
def test_a_replay_changes_programs_with_the_tracks(settings: StationSettings, tmp_path: Path) -> None:
    several = replace(settings, keys_program=(4, 0, 5), seed=3)
    station, journal = open_station(several), Journal()
    blocks = [station.render(2 * BAR)]
    station.act(SKIP)
    blocks.append(station.render(7 * BAR))
    for event in station.events():
        journal.add(read_event(event, ORIGIN))
    station.close()
    audio = np.concatenate(blocks)[:-BAR]  # later music may affect the last frames
    run = WorkerRun(0, several, 0.0, ORIGIN, {})
    _, (passage,) = journal.passages([run], ORIGIN + len(audio), 600)
    programs = [bar.programs for bar in passage.bars]
    assert len({tuple(sorted(by_layer.items())) for by_layer in programs}) == 2
    np.testing.assert_array_equal(replayed(passage)["mix"], audio[passage.start : passage.end])
    (tmp_path / "notes.mid").write_bytes(transcript.encode([passage]))
    (keys,) = (track for track in mido.MidiFile(tmp_path / "notes.mid").tracks if track.name == "keys")
    changes = [message.program for message in keys if message.type == "program_change"]
    assert changes == [program for program, _ in groupby(bar["keys"] for bar in programs)]


@pytest.mark.slow
def test_the_comparison_notices_a_missing_note(aired: AiredStation) -> None:
    (passage,) = aired.passages(600)
    struck = next(place for place, note in enumerate(passage.notes) if note.layer == "keys" and note.velocity)
    without = replace(passage, notes=[note for place, note in enumerate(passage.notes) if place != struck])
    assert np.abs(replayed(without)["mix"] - aired.audio).max() > 0.01


@pytest.mark.slow
def test_separate_layers_add_up_to_the_mix(aired: AiredStation) -> None:
    (passage,) = aired.passages(6)
    layers = replayed(passage, separate=True)
    assert list(layers) == ["keys", "bass", "drums", "lead", "vinyl", "rain", "ambience"]
    original = aired.audio[passage.start : passage.end]
    assert np.abs(layers["bass"]).max() < 1e-6  # the bass is muted in this passage
    assert min(np.abs(layers[layer]).max() for layer in ("keys", "drums", "vinyl", "rain", "ambience")) > 1e-3
    together = np.sum(list(layers.values()), axis=0)
    assert np.corrcoef(together[:, 0], original[:, 0])[0, 1] > 0.9


def test_notes_are_written_on_their_ticks(aired: AiredStation, tmp_path: Path) -> None:
    passages = aired.passages(20)
    (tmp_path / "notes.mid").write_bytes(transcript.encode(passages))
    score = midi.read(tmp_path / "notes.mid")
    (passage,) = passages
    first = passage.bars[0].number * TICKS_PER_BAR
    struck = {
        (note.tick - first, note.layer, note.note) for note in passage.notes if note.velocity and note.tick >= first
    }
    written = {(note.start, note.track, note.note) for note in score.notes}
    assert written <= struck
    ends = max(tick for tick, _, _ in struck)
    assert all(tick > ends - 8 for tick, _, _ in struck - written)  # played before their tick, which is after the end
    assert {round(60e6 / tempo, 3) for _, tempo in score.tempos} == {80.0, 96.0}
    assert mido.MidiFile(tmp_path / "notes.mid").length == pytest.approx(
        (passage.end - passage.start) / SAMPLE_RATE, abs=2.6
    )


def test_a_passage_after_a_restart_begins_on_a_new_bar(settings: StationSettings, tmp_path: Path) -> None:
    def passage(number: int, note: int, bars: float) -> AiredPassage:
        end = round(bars * BAR)
        notes = [
            PlayedNote(0, "keys", note, 80, number * TICKS_PER_BAR),
            PlayedNote(end - 64, "drums", 36, 90, number * TICKS_PER_BAR),
        ]
        lines = [BarLine(bar * BAR, number + bar, 80.0) for bar in range(-(-end // BAR))]
        return AiredPassage(settings, 0, end, notes, lines, [])

    (tmp_path / "notes.mid").write_bytes(transcript.encode([passage(7, 60, 1.5), passage(0, 62, 2)]))
    notes = [note for note in midi.read(tmp_path / "notes.mid").notes if note.track == "keys"]
    assert [(note.start, note.end, note.note) for note in notes] == [
        (0, 1.5 * TICKS_PER_BAR, 60),
        (2 * TICKS_PER_BAR, 4 * TICKS_PER_BAR, 62),
    ]


@pytest.mark.parametrize("suffix", [".wav", ".flac", pytest.param(".zip", marks=pytest.mark.slow)])
def test_an_export_is_one_file(aired: AiredStation, tmp_path: Path, suffix: str) -> None:
    passages = aired.passages(4)
    shares: list[float] = []
    path = Export(passages * 2, "chill", suffix, "A Title").run(tmp_path, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [path.name for path in tmp_path.iterdir()] == [f"chill{suffix}"]
    frames = 2 * (passages[0].end - passages[0].start)
    if suffix == ".wav":
        with wave.open(str(path)) as file:
            assert (file.getnframes(), file.getframerate(), file.getnchannels()) == (frames, SAMPLE_RATE, 2)
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            assert archive.namelist() == [
                f"chill/{layer}.wav" for layer in ("keys", "bass", "drums", "lead", "vinyl", "rain", "ambience")
            ]
            for name in archive.namelist():
                with archive.open(name) as packed, wave.open(packed) as file:
                    assert file.getnframes() == frames


def test_the_journal_is_bounded_and_covers_the_longest_export() -> None:
    journal = Journal()
    one = WorkerRun(0, StationSettings("tone", "Tone", (("Am7",),)), 0.0, 0, {})
    for number in range(2_000):
        journal.add(read_event(bar_event(number * BAR, number=number, tempo=80.0)))
        note = {"layer": "keys", "note": 60, "velocity": 80, "tick": number * TICKS_PER_BAR}
        journal.add(read_event(StationEvent(number * BAR, "note", note)))
    assert len(journal.bars) == len(journal.notes) < 250
    live = 2_000 * BAR
    first, (passage,) = journal.passages([one], live, LONGEST)
    assert live - first >= LONGEST * SAMPLE_RATE
    assert passage.notes[0].frame <= first - PREROLL + BAR
    assert journal.passages([], live, 60) == (live, [])
    assert Journal().passages([one], live, 60) == (live, [])
