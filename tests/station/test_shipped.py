"""The music of the shipped models under the shipped stations: what `docs/models.md` promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mido
import pytest

from radio.compose.composer import Bar
from radio.music import midi
from radio.paths import STATIONS
from radio.settings.config import load
from radio.settings.controls import Controls
from radio.settings.station import StationSettings
from radio.station.factory import open_composer
from radio.station.midi_export import write_midi
from radio.types import TICKS_PER_BAR
from train.metrics.station_figures import entropy, measure

CHILL = load(STATIONS).stations["chill"]


def composed(bars: int, controls: Controls, *, seed: int = 7, settings: StationSettings = CHILL) -> list[Bar]:
    composer = open_composer(settings, seed)
    return [composer.next_bar(controls) for _ in range(bars)]


def test_at_temperature_one_the_keys_keep_to_the_chords_and_the_drums_to_the_backbeat() -> None:
    figures = measure(composed(128, CHILL.controls.changed({"temperature": 1.0})))
    assert figures.chord_tone_share >= 0.70
    assert figures.backbeat_share > 0.5
    assert figures.silent_bars == 0
    assert 1 <= figures.strikes_per_beat <= 4


def test_temperature_is_heard_in_pitch_and_rhythm_from_the_bar_it_was_turned_at() -> None:
    """The same bars of the same plan, once left at 0.6 and once turned to 1.2 on the way."""
    steady = replace(CHILL, progressions=(("Dm9", "G7", "Cmaj9", "Am7"),), keys=("C",))  # so that harmony adds nothing
    cool = CHILL.controls.changed({"temperature": 0.6})
    hot = CHILL.controls.changed({"temperature": 1.2})
    left_alone = composed(160, cool, settings=steady)
    composer = open_composer(steady, 7)
    turned = [composer.next_bar(cool if number < 32 else hot) for number in range(160)]
    assert turned[:32] == left_alone[:32]
    assert turned[32] != left_alone[32]
    assert [bar.plan for bar in turned] == [bar.plan for bar in left_alone]
    before, after = left_alone[32:], turned[32:]
    assert pitch_entropy(after) > pitch_entropy(before) + 0.3
    assert measure(after).rhythm_entropy > measure(before).rhythm_entropy + 0.1


def pitch_entropy(bars: list[Bar]) -> float:
    """Bits that a key's pitch has left when its bar's chord is known."""
    struck = [(bar.plan.chords[0], event.note) for bar in bars for event in bar.events["keys"] if event.velocity]
    return entropy(struck) - entropy(chord for chord, _ in struck)


@pytest.mark.slow
def test_half_an_hour_has_both_layers_throughout_and_every_bar_line_in_place(tmp_path: Path) -> None:
    path = tmp_path / "long.mid"
    write_midi(CHILL, minutes=30, seed=7, path=path)
    assert mido.MidiFile(path).length == pytest.approx(1800, abs=0.1)
    score = midi.read(path)
    bars = int(30 * CHILL.controls.tempo / 4)
    for track in ("keys", "drums"):
        struck = {note.start // TICKS_PER_BAR for note in score.notes if note.track == track}
        assert struck >= set(range(bars))
    assert all(note.end <= 30 * CHILL.controls.tempo * 120 for note in score.notes)
    # No hanging note: no key is held longer than the host allows, two bars and the rest of a beat.
    assert max(note.end - note.start for note in score.notes) <= 2 * TICKS_PER_BAR + 120
    figures = measure(composed(bars, CHILL.controls))
    assert figures.chord_tone_share >= 0.70
    assert figures.silent_bars == 0
