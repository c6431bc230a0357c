"""Copies in MIDI files are found, in any key and at any tempo, and reported with their bar."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from radio.cli import main as cli
from radio.compose.originality import INDEXES, examine, read_index, report
from radio.compose.run_index import Index, Spread
from radio.errors import MidiError
from radio.music import midi
from radio.music.events import Note, NoteEvent
from radio.music.parts import DRUMS, PIANO, Part
from radio.music.quantize import quantize
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from tests.compose.test_run_index import moved, tune

KNOWN = quantize(PIANO, [(n.start / TICKS_PER_BEAT, n.end / TICKS_PER_BEAT, n.note, 80) for n in tune(1, 60)])
HUMAN = Spread(50, 0, 7, 9, 12)

Indexes = Mapping[Part, Index]


def written(path: Path, notes: list[Note], *, drums: bool = False, tempo: float = 71) -> Path:
    events = [event for n in notes for event in (NoteEvent(n.start, n.note, n.velocity), NoteEvent(n.end, n.note, 0))]
    events.sort(key=lambda event: (event.tick, event.velocity > 0))
    track = midi.MidiTrack("drums" if drums else "keys", events, drums=drums)
    midi.write(path, [track], {0: tempo}, end=max(n.end for n in notes) + TICKS_PER_BAR)
    return path


@pytest.fixture
def indexes() -> Indexes:
    piano = Index.of(PIANO, [KNOWN])
    piano.human = HUMAN
    return {PIANO: piano, DRUMS: Index.of(DRUMS, [])}


def test_a_copy_is_reported_with_its_bar(tmp_path: Path, indexes: Indexes) -> None:
    own = moved(tune(5, 30), semitones=-3)
    path = written(tmp_path / "a.mid", [*own, *moved(KNOWN[:25], semitones=4, ticks=16 * TICKS_PER_BAR)])
    (finding,) = examine(path, indexes)
    assert (finding.track, finding.part, finding.bar) == ("keys", PIANO, 17)
    assert finding.spread.longest == 25
    text = report(path, [finding], indexes)
    assert "keys: at most 25 notes in a row, in the bars from 17: more than human music shares" in text
    assert "human piano, unseen" in text


def test_a_short_run_is_compared_with_human_music(tmp_path: Path, indexes: Indexes) -> None:
    path = written(tmp_path / "a.mid", KNOWN[:12])
    text = report(path, examine(path, indexes), indexes)
    assert "keys: at most 12 notes in a row, in the bars from 1; human music" in text
    assert "shares up to 12." in text


def test_drums_are_compared_with_drums(tmp_path: Path, indexes: Indexes) -> None:
    path = written(tmp_path / "a.mid", KNOWN, drums=True)
    (finding,) = examine(path, indexes)
    assert (finding.part, finding.spread.longest) == (DRUMS, 0)
    assert "drums: nothing copied." in report(path, [finding], indexes)


def test_a_file_without_notes_is_refused(tmp_path: Path, indexes: Indexes) -> None:
    midi.write(tmp_path / "a.mid", [midi.MidiTrack("keys", [])], {0: 80}, end=480)
    with pytest.raises(MidiError, match="it has no notes"):
        examine(tmp_path / "a.mid", indexes)


def test_the_command_compares_with_the_shipped_indexes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["originality", str(written(tmp_path / "a.mid", tune(7, 80)))]) == 0
    assert "human piano, unseen" in capsys.readouterr().out
    assert cli.main(["originality", str(tmp_path / "none.mid")]) == 1
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("part", [PIANO, DRUMS])
def test_the_shipped_indexes_include_human_music(part: Part) -> None:
    index = read_index(part)
    assert index.part is part
    assert index.human is not None
    assert index.human.passages > 100
    assert len(index.hashes) > 100_000
    assert all(path.stat().st_size < 20_000_000 for path in INDEXES[part])
