from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from radio.compose.run_index import FORMAT, SHINGLE, Index, Spread, fingerprints
from radio.errors import ModelError
from radio.model.weights import tensorfile
from radio.music.events import Note
from radio.music.parts import DRUMS, PIANO


def tune(seed: int, notes: int = 200) -> list[Note]:
    """Return original notes, one at a time and in chords."""
    random = Random(seed)
    start, notes_of_tune = 0, []
    for _ in range(notes):
        start += random.choice((0, 30, 60, 90, 120))
        notes_of_tune.append(
            Note(start, start + random.choice((30, 60, 120)), random.randrange(48, 84), random.randrange(30, 110))
        )
    return sorted({(note.start, note.note): note for note in notes_of_tune}.values())


def moved(notes: list[Note], *, semitones: int = 0, ticks: int = 0, louder: int = 0) -> list[Note]:
    return [Note(n.start + ticks, n.end + ticks, n.note + semitones, n.velocity + louder) for n in notes]


@pytest.mark.parametrize("drums", [False, True])
@pytest.mark.parametrize("length", [SHINGLE + 1, 12, 40, 190])
def test_a_copied_run_is_found_to_the_note(length: int, drums: bool) -> None:
    index = Index.of(DRUMS if drums else PIANO, [tune(1), tune(2), tune(3)])
    copied = moved(tune(2)[3 : 3 + length], semitones=0 if drums else 5, ticks=960, louder=9)
    own = tune(9, 80)
    passage = [*moved(own, ticks=-own[-1].start), *copied, *moved(tune(8, 80), ticks=copied[-1].start + 45)]
    assert index.longest(copied) == length
    assert length <= index.longest(passage) <= length + 1, "the next note may match by chance"


def test_original_music_is_found_nowhere() -> None:
    index = Index.of(PIANO, [tune(seed) for seed in range(20)])
    assert index.longest(tune(99)) == 0


def test_transposed_drums_are_other_drums() -> None:
    index = Index.of(DRUMS, [tune(1)])
    assert index.longest(tune(1)) == len(tune(1))
    assert index.longest(moved(tune(1), semitones=1)) == 0


def test_no_run_continues_from_one_piece_into_the_next() -> None:
    both = tune(1, 120)
    half = len(both) // 2
    index = Index.of(PIANO, [both[:half], both[half:]])
    assert index.longest(both) == max(half, len(both) - half)


def test_two_copies_with_other_music_between_them_are_two_runs() -> None:
    piece = tune(1, 120)
    index = Index.of(PIANO, [piece])
    own = moved(tune(9, 40), ticks=piece[20].start + 480)
    resumed = 20 - SHINGLE  # the place after the last one found in the first copy
    later = moved(piece[resumed:50], ticks=own[-1].start + 480)
    assert index.longest([*piece[:20], *own, *later]) == len(later)


def test_music_too_short_to_compare_counts_as_not_copied() -> None:
    index = Index.of(PIANO, [tune(1)])
    assert index.longest([]) == index.longest(tune(1)[:SHINGLE]) == 0
    assert len(fingerprints(PIANO, tune(1)[: SHINGLE + 1])) == 1
    assert Index.of(PIANO, []).longest(tune(1)) == 0


def test_a_repeated_figure_counts_only_as_long_as_it_is_in_the_index() -> None:
    figure = [Note(60 * place, 60 * place + 60, 60 + place % 4, 80) for place in range(400)]
    index = Index.of(PIANO, [figure[:100]])
    assert index.longest(figure) == 100


def test_an_index_reads_back_as_written_and_contains_no_music(tmp_path: Path) -> None:
    index = Index.of(PIANO, [tune(1), tune(2)])
    index.write(tmp_path / "index.safetensors")
    again = Index.read(tmp_path / "index.safetensors")
    np.testing.assert_array_equal(again.hashes, index.hashes)
    assert again.longest(tune(2)) == len(tune(2))
    assert (again.part, again.human) == (PIANO, None)
    assert [path.name for path in tmp_path.iterdir()] == ["index.safetensors"]


def test_an_index_knows_the_runs_it_shares_with_human_music(tmp_path: Path) -> None:
    human = Spread.of([0] * 90 + [7] * 9 + [31])
    assert human == Spread(100, 0, 7, 31, 31)
    Index(DRUMS, np.arange(3, dtype=np.uint32), human).write(tmp_path / "index.safetensors")
    again = Index.read(tmp_path / "index.safetensors")
    assert (again.part, again.human) == (DRUMS, human)
    assert Spread.of([]) == Spread(0, 0, 0, 0, 0)


def test_a_file_that_is_not_an_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.safetensors"
    with pytest.raises(ModelError, match="no such file"):
        Index.read(path)
    path.write_text("text")
    with pytest.raises(ModelError, match="corrupt"):
        Index.read(path)
    tensorfile.write(path, {"hashes": np.zeros(3, np.uint32)}, {"format": "another"})
    with pytest.raises(ModelError, match="not an index of training music"):
        Index.read(path)
    for part, human in (("flute", "[1]"), ("piano", "[1]"), ("piano", "{")):
        tensorfile.write(path, {"hashes": np.zeros(3, np.uint32)}, {"format": FORMAT, "part": part, "human": human})
        with pytest.raises(ModelError, match="header is malformed"):
            Index.read(path)
    tensorfile.write(path, {"hashes": np.zeros(3, np.float32)}, {"format": FORMAT, "part": "piano"})
    with pytest.raises(ModelError, match="of 32-bit hashes, not float32"):
        Index.read(path)
