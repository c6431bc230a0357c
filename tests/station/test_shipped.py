"""Tests of the figures in `docs/models.md` with the shipped models and stations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mido
import pytest

from radio.compose.bar import Bar
from radio.compose.plan import BarPlan
from radio.music import midi
from radio.paths import STATIONS
from radio.settings.config import load
from radio.settings.controls import PLAYED_LAYERS, Controls
from radio.settings.station import StationSettings
from radio.station.extent import TimedExcerpt
from radio.station.factory import open_composer
from radio.station.midi_export import write_midi
from radio.station.score import compose as compose_score
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR
from train.metrics import faults
from train.metrics.drum_figures import measure_drums
from train.metrics.music import StationMusic, TrackMusic
from train.metrics.pitch import chord_tone_time, entropy

pytestmark = pytest.mark.usefixtures("all_candidates")

CHILL = load(STATIONS).stations["chill"]


def compose(bars: int, controls: Controls, *, seed: int = 7, settings: StationSettings = CHILL) -> list[Bar]:
    composer = open_composer(settings, seed)
    return [composer.next_bar(controls) for _ in range(bars)]


def test_at_temperature_one_keys_follow_the_chords_and_drums_the_backbeat() -> None:
    bars = compose(72, CHILL.controls.changed({"temperature": 1.0}))
    music = as_track(bars)
    drums = measure_drums([bars])
    assert drums is not None
    assert drums.backbeat is not None
    assert chord_tone_time(music.passages["keys"]) >= 0.70
    assert drums.backbeat > 0.5
    assert faults.dead_bars(music) == 0
    assert 1 <= len(music.passages["keys"].notes) / (72 * BEATS_PER_BAR) <= 4


@pytest.mark.slow
def test_a_higher_temperature_raises_the_entropy_from_the_bar_of_its_change() -> None:
    """Compare two runs of the same plan: one stays at 0.2, the other changes to 1.8."""
    steady = replace(
        CHILL, progressions=(("Dm9", "G7", "Cmaj9", "Am7"),), keys=("C",)
    )  # a constant loop, so that harmony adds no entropy
    cool = CHILL.controls.changed({"temperature": 0.2})
    hot = CHILL.controls.changed({"temperature": 1.8})
    unchanged = compose(160, cool, settings=steady)
    composer = open_composer(steady, 7)
    changed = [composer.next_bar(cool if number < 32 else hot) for number in range(160)]
    assert changed[:32] == unchanged[:32]
    assert changed[32] != unchanged[32]
    assert list(map(plan_without_level, changed)) == list(map(plan_without_level, unchanged))
    before, after = unchanged[32:], changed[32:]
    assert pitch_entropy(after) > pitch_entropy(before)
    assert rhythm_entropy(after) > rhythm_entropy(before)


def plan_without_level(bar: Bar) -> BarPlan:
    """Return the plan of a bar without the level of the keys, which depends on their notes."""
    return replace(bar.plan, mix=replace(bar.plan.mix, keys_db=0.0))


def as_track(bars: list[Bar]) -> TrackMusic:
    music = StationMusic(bars, {}, 0.0)
    return TrackMusic(bars, {layer: music.passage(layer) for layer in PLAYED_LAYERS}, {})


def rhythm_entropy(bars: list[Bar]) -> float:
    """Return the entropy of the places in the bar at which keys are struck, in bits."""
    return entropy(event.tick % TICKS_PER_BAR for bar in bars for event in bar.events["keys"] if event.velocity)


def pitch_entropy(bars: list[Bar]) -> float:
    """Return the conditional entropy of the keys' pitches given the chord of their bar, in bits."""
    struck = [(bar.plan.chords[0], event.note) for bar in bars for event in bar.events["keys"] if event.velocity]
    return entropy(struck) - entropy(chord for chord, _ in struck)


@pytest.mark.slow
def test_half_an_hour_has_the_requested_length_and_no_endless_note(tmp_path: Path) -> None:
    path = tmp_path / "long.mid"
    write_midi(compose_score(CHILL, 7, TimedExcerpt(1800)), path)
    assert mido.MidiFile(path).length == pytest.approx(1800, abs=0.1)
    score = midi.read(path)
    assert {note.track for note in score.notes} == {"keys", "bass", "drums", "lead"}
    assert max(note.end - note.start for note in score.notes) <= 2 * TICKS_PER_BAR + 120
    bars = int(30 * CHILL.controls.tempo / 4)
    music = as_track(compose(bars, CHILL.controls))
    assert chord_tone_time(music.passages["keys"]) >= 0.70
    assert faults.dead_bars(music) == 0
