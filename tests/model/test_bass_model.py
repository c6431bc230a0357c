from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from radio.errors import ModelError
from radio.model.bass_model import HISTORY, PITCHES, ROWS, UNTRAINED, BassContext, empty, read, write
from radio.music.chords import parse_chord
from radio.music.vocab import QUALITIES
from radio.paths import CHECKPOINTS

SHIPPED = CHECKPOINTS / "bass.safetensors"


def context(line: tuple[int, ...] = (40, 43, 38, 36), semitones: int = 0) -> BassContext:
    return BassContext(
        parse_chord("Dm7").transposed(semitones),
        parse_chord("G7").transposed(semitones),
        beat=3,
        since=3,
        left=1,
        line=tuple(pitch + semitones for pitch in line),
    )


def test_probabilities_sum_to_one_with_any_history() -> None:
    model = read(SHIPPED)
    for length in range(HISTORY + 3):
        probabilities = model.probabilities(context((40, 43, 38, 36, 40, 41)[:length]))
        assert probabilities.shape == PITCHES.shape
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_before_a_chord_the_model_approaches_its_root() -> None:
    model, before_change = read(SHIPPED), context((41, 40, 38, 36))
    within = replace(before_change, left=8, following=before_change.chord)
    beside = np.isin((PITCHES - 7) % 12, (1, 11))
    assert model.probabilities(before_change)[beside].sum() > 1.3 * model.probabilities(within)[beside].sum()


def test_an_untrained_model_finds_all_pitches_equally_probable() -> None:
    assert UNTRAINED.probabilities(context()) == pytest.approx(np.full(len(PITCHES), 1 / len(PITCHES)))


def test_every_place_has_rows_within_the_embedding() -> None:
    random = Random(1)
    for _ in range(500):
        chords = [parse_chord("C").transposed(random.randrange(12)) for _ in range(2)]
        qualities = random.choices(QUALITIES[:-1], k=2)
        first, second = (type(chord)(chord.root, quality) for chord, quality in zip(chords, qualities, strict=True))
        line = tuple(random.choices(PITCHES.tolist(), k=random.randrange(6)))
        rows = BassContext(first, second, random.randrange(4), random.randrange(20), random.randrange(20), line).rows()
        assert len(set(rows)) == len(rows)
        assert all(0 <= row < ROWS for row in rows)


def test_a_place_without_a_chord_is_refused() -> None:
    none = parse_chord("N")
    with pytest.raises(ValueError, match="needs a chord"):
        UNTRAINED.probabilities(BassContext(none, none, 0, 0, 1, ()))


def test_a_written_model_reads_back_with_its_card(tmp_path: Path) -> None:
    path = tmp_path / "bass.safetensors"
    write(path, read(SHIPPED))
    again = read(path)
    assert again.card == read(SHIPPED).card
    assert np.array_equal(again.embedding, read(SHIPPED).embedding)
    assert path.with_suffix(".json").read_text(encoding="utf-8") == SHIPPED.with_suffix(".json").read_text("utf-8")


def test_the_shipped_model_is_small_and_beats_the_unigram() -> None:
    assert SHIPPED.stat().st_size < 300_000
    held_out = read(SHIPPED).card["held_out"]
    assert isinstance(held_out, dict)
    assert float(str(held_out["bits_per_note"])) < float(str(held_out["unigram_bits_per_note"])) - 0.4


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_a_truncated_file_is_refused_in_one_line(tmp_path: Path, share: float) -> None:
    data = SHIPPED.read_bytes()
    path = tmp_path / "bass.safetensors"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read(tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match=r"not a bass model \(format 'radio-rwkv6-2'\); use a radio-bass-1 file"):
        read(CHECKPOINTS / "chords.safetensors")


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("bias", np.zeros(0, np.float32), "a bass model has"),
        ("output", np.zeros((3, 1), np.float32), r"output has shape \(3, 1\) of float32"),
        ("bias", np.full(1, np.nan, np.float32), "bias contains numbers that are not finite"),
        ("output_bias", np.zeros(80, np.int8), "output_bias has shape"),
    ],
)
def test_damaged_arrays_are_refused(tmp_path: Path, name: str, array: np.ndarray, message: str) -> None:  # type: ignore[type-arg]
    model = empty()
    object.__setattr__(model, name, array)
    write(tmp_path / "bass.safetensors", model)
    with pytest.raises(ModelError, match=message):
        read(tmp_path / "bass.safetensors")
