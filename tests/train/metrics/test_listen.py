from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radio.compose.bar import Bar
from radio.errors import SettingsError
from radio.music.events import Note
from radio.settings.config import load
from radio.types import SAMPLE_RATE, TICKS_PER_BAR
from tests.candidates import fewer_candidates
from train.metrics import arrangement, faults
from train.metrics.drum_figures import measure_drums
from train.metrics.listen import ROWS, missed, table
from train.metrics.music import StationMusic, TrackMusic, compose
from train.metrics.passage import Passage
from train.metrics.references import SPREADS
from train.metrics.repetition import jaccard, recurring, similarities
from train.metrics.spread import distance_ratio, spread_ratios, window_features
from train.metrics.station_figures import measure

BAR = TICKS_PER_BAR


@pytest.fixture(scope="module")
def music() -> StationMusic:
    with fewer_candidates():
        return compose(load(None).station("chill"), hours=0.1, seed=5)


def line(*pitches: int, bars: int) -> Passage:
    """Return one note per bar."""
    return Passage([Note(place * BAR, place * BAR + 60, pitch, 80) for place, pitch in enumerate(pitches)], bars)


def test_bars_are_compared_with_those_four_bars_later() -> None:
    assert similarities(line(60, 62, 64, 65, 60, 62, 64, 65, bars=8), 4) == [1, 1, 1, 1]
    assert similarities(line(60, 62, 64, 65, 72, 62, 64, 65, bars=8), 4) == [0, 1, 1, 1]
    assert similarities(line(60, 62, 64, 65, bars=8), 4) == [], "bars without notes are left out"
    assert jaccard({1, 2, 3}, {2, 3, 4}) == 0.5


def test_a_figure_also_recurs_in_another_key() -> None:
    steps = (0, 2, 5, 1)
    again = [60 + step for step in steps] + [67 + step for step in steps] + [60] * 12
    assert recurring(line(*again, bars=20))[0]
    assert not any(recurring(line(*(60 + place**2 % 37 for place in range(20)), bars=20)))


def test_tracks_are_complete_and_cover_the_music(music: StationMusic) -> None:
    tracks = music.tracks()
    assert len(tracks) >= 2
    for track in tracks:
        assert len(track.bars) == track.track.bars
        assert track.form[0] == "intro"
        assert all(0 <= note.start < note.end <= len(track.bars) * BAR for note in track.passages["keys"].notes)
    struck = sum(event.velocity > 0 for track in tracks for bar in track.bars for event in bar.events["keys"])
    assert sum(len(track.passages["keys"].notes) for track in tracks) == struck


def test_the_keys_are_as_late_as_the_station_plays_them(music: StationMusic) -> None:
    swung = [late for (tick, _), late in music.late.items() if tick % 60 == 30]
    straight = [late for (tick, _), late in music.late.items() if tick % 60 == 0]
    assert 1 < np.mean(swung) - np.mean(straight) < 8, "swing moves the second sixteenth of a pair"


def test_a_measured_station_has_every_row(music: StationMusic) -> None:
    figures = measure([music])
    words = table({"chill": figures}, {"chill": "hiphop"})
    assert words.count("\n|") == len(ROWS) + len(SPREADS) + 3
    assert figures.exact_bars > 0.5
    assert figures.tracks == len(music.tracks())
    assert "forms" not in missed(replace(figures, forms=6), "hiphop")
    assert "forms" in missed(replace(figures, forms=5), "hiphop")
    assert "| **5** |" in table({"chill": replace(figures, forms=5)}, {"chill": "hiphop"})


def test_equal_tracks_have_spread_0_and_halves_as_distant_as_tracks_have_ratio_1(music: StationMusic) -> None:
    rows = window_features(music.tracks()[0])
    row = next(iter(rows.values()))
    assert set(spread_ratios([{0: row, 1: row}] * 3).values()) == {0}
    other = row + np.array(list(SPREADS.values()))
    assert distance_ratio([[{0: row, 1: row}, {0: other, 1: other}]]) == 0
    run = [{0: row, 1: other}, {0: other, 1: other + other - row}]
    assert distance_ratio([run]) == pytest.approx(0.5 * 2)
    assert distance_ratio([run, run]) == pytest.approx(0.5 * 2), "tracks of different runs are no neighbors"


def drum_bar(number: int, *hits: tuple[int, int], template: Bar) -> Bar:
    from radio.music.events import NoteEvent

    plan = replace(template.plan, number=number, fill=False, layers=frozenset({"drums"}))
    events = [NoteEvent(number * BAR + tick, pad, 80) for tick, pad in hits]
    return replace(template, plan=plan, events={"drums": events, "keys": [], "bass": []})


def test_drum_figures_equal_a_count_by_hand(music: StationMusic) -> None:
    template = music.bars[0]
    groove = ((0, 36), (120, 38), (240, 42), (360, 38))
    bars = [drum_bar(0, *groove, template=template), drum_bar(1, *groove, template=template)]
    bars.append(drum_bar(2, (0, 36), (120, 45), template=template))
    figures = measure_drums([bars])
    assert figures is not None
    assert figures.neighbors == pytest.approx((1 + 1 / 5) / 2)
    assert figures.different_bars == 2
    assert figures.without_cymbal == pytest.approx(1 / 3)
    assert figures.closed_hats == pytest.approx(2 / 3)
    assert figures.toms == pytest.approx(1 / 10)
    assert figures.backbeat == pytest.approx(2 / 3)
    assert measure_drums([[drum_bar(0, template=template)]]) is None


def test_faults_are_counted(music: StationMusic) -> None:
    track = music.tracks()[0]
    keys = Passage([Note(0, 240, 61, 80)], len(track.bars))
    bass = Passage([Note(60, 300, 48, 80)], len(track.bars))
    faulty = TrackMusic(
        track.bars, {"keys": keys, "bass": bass, "lead": Passage([], 1), "drums": track.passages["drums"]}, {}
    )
    assert faults.clashes(faulty) == 1
    assert faults.clashes(replace(faulty, passages={**faulty.passages, "bass": Passage([], 1)})) == 0
    assert faults.longest_note(faulty) == 2
    assert faults.dead_bars(faulty) > 0
    assert faults.dead_bars(track) == 0


def test_a_run_without_whole_tracks_is_an_error(music: StationMusic) -> None:
    with pytest.raises(SettingsError, match="--hours: 0 whole tracks are too few to measure"):
        measure([StationMusic(music.bars[:4], music.late, 0.0)])


def noise(seconds: float, low: float = 1.0) -> np.ndarray:
    """Return noise plus a low tone scaled by `low`."""
    random = np.random.default_rng(1)
    white = random.standard_normal((round(seconds * SAMPLE_RATE), 1)) * 0.05
    tone = 0.1 * np.sin(2 * np.pi * 60 * np.arange(len(white)) / SAMPLE_RATE)[:, None] * low
    return np.repeat(white + tone, 2, axis=1).astype(np.float32)


def test_missing_lows_are_measured() -> None:
    audio = np.concatenate([noise(10, low=0.0), noise(30)])
    track = arrangement.TrackAudio(0, 40, arrangement.band_levels(audio), 0.0)
    assert track.away("low") == pytest.approx(0.25)
    assert track.away("high") == 0
    assert track.away("low", "high") == pytest.approx(0.25)
    assert track.opens_without("low")
    assert not track.opens_without("high")
    assert not track.ends_without("low")


def test_the_loudness_range_of_two_levels_is_their_difference() -> None:
    audio = noise(40)
    audio[20 * SAMPLE_RATE :] *= 0.5
    assert arrangement.loudness_range(audio) == pytest.approx(6.0, abs=0.2)
