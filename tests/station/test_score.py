"""Tests of scores: whole tracks, loops and excerpts, as notes and as MIDI files."""

from __future__ import annotations

import functools
from pathlib import Path

import mido
import pytest

from radio.music import midi
from radio.paths import STATIONS
from radio.settings.config import load
from radio.settings.controls import PLAYED_LAYERS
from radio.station.extent import BarLoop, Extent, TimedExcerpt, WholeTracks
from radio.station.midi_export import write_midi
from radio.station.score import LONGEST_FADE, SHORTEST_FADE, SILENT_END, Score, bar_lines, compose
from radio.types import SAMPLE_RATE, TICKS_PER_BAR

CHILL = load(STATIONS).station("chill")
SEED = 8


@functools.cache
def composed(extent: Extent) -> Score:
    shares: list[float] = []
    score = compose(CHILL, SEED, extent, on_progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    return score


@pytest.fixture(scope="module")
def track() -> Score:
    return composed(WholeTracks())


def test_a_whole_track_has_all_its_bars(track: Score) -> None:
    bars = track.bars
    assert len(bars) == bars[0].track.bars
    assert bars[0].plan.section == "intro"
    assert bars[-1].plan.section == "outro"
    assert [bar.opens_track for bar in bars] == [True] + [False] * (len(bars) - 1)
    assert [bar.closes_track for bar in bars] == [False] * (len(bars) - 1) + [True]
    assert track.title == bars[0].track.title
    assert track.key_and_tempo == (bars[0].track.key_name, bars[0].tempo)


def test_tracks_follow_one_another_as_on_the_station(track: Score) -> None:
    two = composed(WholeTracks(2))
    assert two.bars[: len(track.bars)] == track.bars
    assert [bar.track.number for bar in two.bars] == [0] * len(track.bars) + [1] * two.bars[-1].track.bars
    first, second = two.chapters
    assert two.title == f"{first.title} / {second.title}"
    assert (first.start, first.end, second.end) == (0, bar_lines(track.bars)[-1], two.frames)
    assert two.key_and_tempo is None


@pytest.mark.parametrize("extent", [WholeTracks(), BarLoop(3), BarLoop(90), TimedExcerpt(30.0)])
def test_every_note_is_released_in_the_file(extent: Extent) -> None:
    score = composed(extent)
    for layer in PLAYED_LAYERS:
        events = score.events(layer)
        assert events or layer == "lead"
        assert [event.tick for event in events] == sorted(event.tick for event in events)
        assert all(0 <= event.tick <= score.end for event in events)
        assert all(event.tick < score.end for event in events if event.velocity)
        sounding: set[int] = set()
        for event in events:
            (sounding.add if event.velocity else sounding.discard)(event.note)
        assert not sounding


@pytest.mark.parametrize("count", [1, 3, 8, 90])
def test_a_loop_has_exactly_the_requested_bars_from_the_middle_of_the_track(track: Score, count: int) -> None:
    loop = composed(BarLoop(count))
    tempo = track.bars[0].tempo
    assert loop.frames == pytest.approx(count * 4 * 60 * SAMPLE_RATE / tempo, abs=1)
    assert [bar.plan.number for bar in loop.bars] == list(range(count))
    assert loop.length == loop.end == count * TICKS_PER_BAR
    assert {bar.plan.section for bar in loop.bars}.isdisjoint({"intro", "outro"})
    kinds = [script.kind for script in track.bars[0].track.script]
    first = kinds.index("groove")
    body = kinds.index("outro") - first
    for number, bar in enumerate(loop.bars):
        source = track.bars[first + number % body]
        strikes = {
            layer: [(event.tick - source.plan.tick, event.note) for event in events if event.velocity]
            for layer, events in source.events.items()
        }
        assert strikes == {
            layer: [(event.tick - bar.plan.tick, event.note) for event in events if event.velocity]
            for layer, events in bar.events.items()
        }
    assert len(loop.chapters) == 1


@pytest.mark.parametrize("seconds", [1.0, 7.5, 30.0, 61.7, 95.0])
def test_an_excerpt_fades_from_the_end_of_a_phrase(seconds: float) -> None:
    score = composed(TimedExcerpt(seconds))
    assert score.frames == round(seconds * SAMPLE_RATE)
    assert score.fade is not None
    begin, end = score.fade
    assert end == score.frames - SILENT_END
    if seconds > LONGEST_FADE:
        assert SHORTEST_FADE <= (score.frames - begin) / SAMPLE_RATE <= LONGEST_FADE
        lines = bar_lines(score.bars)
        assert begin in lines
        reach = [n for n, line in enumerate(lines[:-1]) if line >= score.frames - LONGEST_FADE * SAMPLE_RATE]
        if any(score.bars[n].plan.place == 0 and lines[n] <= score.frames - 3 * SAMPLE_RATE for n in reach):
            assert score.bars[lines.index(begin)].plan.place == 0


@pytest.mark.slow
def test_an_excerpt_leaves_out_a_track_that_would_begin_in_its_fade(track: Score, tmp_path: Path) -> None:
    end = bar_lines(track.bars)[-1]
    for extra in (1.5, 6.0):
        score = composed(TimedExcerpt(end / SAMPLE_RATE + extra))
        assert score.bars == track.bars
        assert score.title == track.title
        assert score.fade is not None
        assert score.fade[0] <= end
        write_midi(score, tmp_path / "excerpt.mid")
        assert mido.MidiFile(tmp_path / "excerpt.mid").length == pytest.approx(end / SAMPLE_RATE + extra, abs=0.01)
    assert score.fade[0] == end
    longer = composed(TimedExcerpt(end / SAMPLE_RATE + LONGEST_FADE + 5))
    assert len(longer.chapters) == 2
    assert longer.bars == composed(WholeTracks(2)).bars[: len(longer.bars)]


@pytest.mark.parametrize("extent", [pytest.param(WholeTracks(), marks=pytest.mark.slow), BarLoop(3), TimedExcerpt(7.5)])
def test_a_midi_file_depends_only_on_the_score(tmp_path: Path, extent: Extent) -> None:
    for name, score in (("a.mid", composed(extent)), ("b.mid", compose(CHILL, SEED, extent))):
        write_midi(score, tmp_path / name)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


def test_a_midi_file_of_a_track_ends_with_the_track(track: Score, tmp_path: Path) -> None:
    write_midi(track, tmp_path / "a.mid")
    file = mido.MidiFile(tmp_path / "a.mid")
    assert file.length == pytest.approx(bar_lines(track.bars)[-1] / SAMPLE_RATE, abs=0.01)
    assert file.tracks[0].name == f"{track.title} ({track.bars[0].track.key_name}, {track.bars[0].tempo:g} BPM)"
    assert not [message for message in file if message.type == "control_change"]
    strikes = sum(event.velocity > 0 for layer in PLAYED_LAYERS for event in track.events(layer))
    assert len(midi.read(tmp_path / "a.mid").notes) == strikes


def test_a_midi_file_of_two_tracks_marks_them(tmp_path: Path) -> None:
    score = composed(WholeTracks(2))
    write_midi(score, tmp_path / "a.mid")
    file = mido.MidiFile(tmp_path / "a.mid")
    assert file.tracks[0].name == score.title
    markers = [message.text for message in file.tracks[0] if message.type == "marker"]
    assert markers == [chapter.title for chapter in score.chapters]


def test_a_midi_file_of_an_excerpt_fades(tmp_path: Path) -> None:
    write_midi(composed(TimedExcerpt(30.0)), tmp_path / "a.mid")
    file = mido.MidiFile(tmp_path / "a.mid")
    assert file.length == pytest.approx(30, abs=0.05)
    for track in file.tracks[1:]:
        values = [message.value for message in track if message.type == "control_change"]
        assert values == sorted(values, reverse=True)
        assert values[-1] == 0
        assert len(set(values)) > 20
