"""Tunes to MIDI: correct bar lines, other meters left out, readable by `prepare folder`."""

from __future__ import annotations

from pathlib import Path

import pytest

from radio.errors import SettingsError
from radio.music import midi
from radio.music.midi_parts import PartChoice
from radio.music.parts import PIANO
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from train.data.corpus import tunes
from train.data.corpus.folder import pieces_of

ABC = """X:1
T:With an upbeat
M:2/4
L:1/8
K:D
d|f2 a2|d2 f2|e2 c2|A3 d|f2 a2|d4|]

X:2
T:A jig
M:6/8
L:1/8
K:G
GAB c2d|e3 d3|c2B A2G|F6|G6|]
"""


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "book" / "two.abc"
    path.parent.mkdir()
    path.write_text(ABC)
    monkeypatch.setattr("music21.corpus.getComposer", lambda _: [path])
    return tmp_path / "out"


def test_a_tune_starts_on_its_bar_line_and_other_meters_are_left_out(collection: Path) -> None:
    assert tunes.write(["ryans"], collection) == 1
    (path,) = collection.iterdir()
    score = midi.read(path)
    notes = [(note.start * TICKS_PER_BEAT // score.ppq, note.note) for note in score.notes]
    assert notes[0] == (TICKS_PER_BAR - TICKS_PER_BEAT // 2, 74), "the upbeat comes before the first bar line"
    assert notes[1] == (TICKS_PER_BAR, 78)
    assert notes[-1] == (TICKS_PER_BAR + 10 * TICKS_PER_BEAT, 74)
    (piece,) = pieces_of(score, path.name, PIANO, PartChoice())
    assert len(piece.notes) == len(notes)


def test_an_unknown_collection_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no collection 'ryan'\. Did you mean 'ryans'\?"):
        tunes.write(["ryan"], tmp_path)
