from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from radio.errors import SettingsError
from radio.model.bass_model import read
from radio.music.chords import parse_chord
from train.bass.fit import train_bass
from train.cli.main import main
from train.data.bass_corpus import examples, parse_jazz_chord, read_performances

HEADER = "melid,bar,beat,signature,onset,duration,chord,form,chorus_id,bass,local_key"
LINES = {"D-7": (38, 41, 45, 44), "G7": (43, 41, 38, 37), "Cj7": (36, 40, 43, 38)}


def write_corpus(path: Path, performances: int = 10, choruses: int = 4) -> Path:
    """Write performances that all walk the same line over the same chords in one key."""
    rows = [HEADER]
    for number in range(1, performances + 1):
        bars = [*LINES.items()] * choruses
        for bar, (chord, line) in enumerate(bars):
            rows += [f"{number},{bar},{beat + 1},4/4,0,0.4,{chord},A1,1,{note}," for beat, note in enumerate(line)]
        rows.append(f"{number},{len(bars)},1,4/4,0,0.4,NC,A1,1,40,")
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    return path


@pytest.mark.parametrize(
    ("name", "chord"),
    [
        ("Bb7", "Bb7"), ("D-7", "Dm7"), ("Fj7911#", "Fmaj7"), ("Am7b5", "Am7b5"), ("C-6", "Cm"), ("F#", "F#"),
        ("Dbo7", "Dbdim"), ("B+7", "Baug"), ("Fsus7913", "Fsus"), ("C69", "C6"),
    ],
)  # fmt: skip
def test_jazz_chord_names_become_chords_of_the_radio(name: str, chord: str) -> None:
    assert parse_jazz_chord(name) == parse_chord(chord)


@pytest.mark.parametrize("name", ["NC", "", "Bb-7/Eb", "H7", "Cx"])
def test_other_names_are_not_chords(name: str) -> None:
    assert parse_jazz_chord(name) is None


def test_examples_contain_their_position_and_the_previous_notes(tmp_path: Path) -> None:
    performance = read_performances(write_corpus(tmp_path / "bass.csv.gz"))[0]
    notes = list(examples(performance))
    assert [example.note for example in notes[:4]] == list(LINES["D-7"])
    context = notes[3].context
    assert (context.chord, context.following) == (parse_chord("Dm7"), parse_chord("G7"))
    assert (context.beat, context.since, context.left) == (3, 3, 1)
    assert list(context.line) == [45, 41, 38]
    assert len(notes) == 48, "the last beat has no chord"


def test_the_model_needs_fewer_bits_than_a_unigram_model_on_held_out_performances(tmp_path: Path) -> None:
    performances = read_performances(write_corpus(tmp_path / "bass.csv.gz"))
    assert [performance.number for performance in performances if performance.held_out] == [3]
    _, figures = train_bass(performances, epochs=60)
    assert figures.bits < figures.unigram_bits - 1
    assert figures.pitch_bits < figures.pitch_unigram_bits - 1
    assert sum(figures.intervals) == pytest.approx(1)
    assert sum(figures.walking) == pytest.approx(1)


def test_the_command_writes_a_model_with_its_card_and_can_measure_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, out = str(write_corpus(tmp_path / "bass.csv.gz")), tmp_path / "bass.safetensors"
    assert main(["bass", corpus, "--out", str(out), "--epochs", "2"]) == 0
    trained = capsys.readouterr().out
    assert main(["bass", corpus, "--measure", str(out)]) == 0
    assert capsys.readouterr().out == trained
    card = read(out).card["corpus"]
    assert isinstance(card, dict)
    assert "MIT, Klaus Frieler" in str(card["licence"])
    assert (card["performances"], card["notes"]) == (9, 9 * 48)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        read_performances(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SettingsError, match="lacks the columns bass, beat, chord"):
        read_performances(tmp_path / "other.csv")
    (tmp_path / "noise.csv.gz").write_bytes(b"noise")
    with pytest.raises(SettingsError, match="not a table of bass notes"):
        read_performances(tmp_path / "noise.csv.gz")
    with pytest.raises(SettingsError, match="no bass notes over known chords"):
        train_bass([])
