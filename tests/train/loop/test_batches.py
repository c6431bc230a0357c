from __future__ import annotations

from itertools import islice, pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from radio.errors import SettingsError
from radio.music.attributes import Attributes
from radio.music.parts import DRUMS, PIANO
from radio.music.vocab import START, beat_token, is_attribute, note_token, wait_token
from train.data.shared_trunk import Corpus
from train.data.vocabulary import RowTable, known_tokens
from train.loop.batches import TokenData, TrainingBatches, validation_batches
from train.loop.recipe import Recipe

PIANO_TABLE = RowTable(PIANO, known_tokens(PIANO))


def pieces(count: int = 5) -> list[np.ndarray]:
    return [
        np.array(
            [START, beat_token(1), *([note_token(60 + number, 8), wait_token(30), note_token(60 + number, 0)] * 20)],
            np.uint16,
        )
        for number in range(count)
    ]


def lanes(start: int = 0, seed: int = 3) -> TrainingBatches:
    return TrainingBatches(pieces(), PIANO_TABLE, lanes=4, window=32, seed=seed, start=start)


def test_a_window_starts_where_the_previous_one_ended() -> None:
    batches = list(islice(lanes(), 6))
    for one, other in pairwise(batches):
        np.testing.assert_array_equal(one.rows[:, -1], other.rows[:, 0])


def test_a_resumed_run_reads_the_same_batches() -> None:
    whole = list(islice(lanes(), 8))
    for batch, expected in zip(lanes(start=5), whole[5:], strict=False):
        assert batch.step == expected.step
        np.testing.assert_array_equal(batch.rows, expected.rows)
        np.testing.assert_array_equal(batch.fresh, expected.fresh)
        if batch.step == 7:
            break


def test_the_first_window_of_every_lane_is_fresh() -> None:
    assert bool(next(iter(lanes())).fresh.all())


def test_another_seed_gives_another_order() -> None:
    assert not np.array_equal(next(iter(lanes(seed=1))).rows, next(iter(lanes(seed=2))).rows)


@pytest.mark.parametrize("semitones", range(-6, 6))
def test_transposing_moves_only_notes_and_roots_and_both_equally(semitones: int) -> None:
    ids = np.array([wait_token(30), note_token(60, 9), note_token(60, 0), 2192 + 11, 2208, 2240], np.uint16)
    rows = PIANO_TABLE.rows(ids, semitones=semitones)
    moved = [PIANO_TABLE.tokens[row] for row in rows]
    note = note_token(60 + semitones, 9)
    assert moved == [wait_token(30), note, note - 9, 2192 + (11 + semitones) % 12, 2208, 2240]


@pytest.mark.parametrize(("louder", "bins"), [(0, {8}), (1, {7, 8, 9}), (2, {6, 7, 8, 9, 10})])
def test_velocities_change_by_at_most_as_many_bins_as_louder_allows(louder: int, bins: set[int]) -> None:
    read = TrainingBatches(pieces(), PIANO_TABLE, lanes=8, window=256, seed=3, louder=louder)
    tokens = {PIANO_TABLE.tokens[row] for batch in islice(read, 6) for row in batch.rows.flatten().tolist()}
    assert {token % 16 for token in tokens if note_token(0, 0) <= token < beat_token(1)} - {0} == bins


def test_louder_changes_only_strikes_and_stays_within_the_bins() -> None:
    ids = np.array([note_token(60, 0), note_token(60, 1), note_token(60, 15)], np.uint16)
    assert [PIANO_TABLE.tokens[row] % 16 for row in PIANO_TABLE.rows(ids, louder=1)] == [0, 2, 15]
    assert [PIANO_TABLE.tokens[row] % 16 for row in PIANO_TABLE.rows(ids, louder=-1)] == [0, 1, 14]


def test_drums_are_never_transposed() -> None:
    table = RowTable(DRUMS, known_tokens(DRUMS))
    ids = np.array([START, note_token(36, 8), note_token(42, 8), wait_token(5)] * 10, np.uint16)
    batch = next(iter(TrainingBatches([ids], table, lanes=8, window=16, seed=0)))
    played = {table.tokens[row] for row in batch.rows.flatten().tolist()}
    assert {(token - 128) // 16 for token in played if 128 <= token < 2176} == {36, 42}


PADS = (36, 38, 42, 46)
WEIGHTS = np.array([1.0, 0.5, 4.0, 1.5])


def weighted(start: int = 0) -> TrainingBatches:
    """Return batches of four pieces, each one window long and on one pad."""
    pads = [np.array([START, *[note_token(pad, 8), wait_token(5)] * 32], np.uint16) for pad in PADS]
    table = RowTable(DRUMS, known_tokens(DRUMS))
    return TrainingBatches(pads, table, lanes=8, window=65, seed=2, start=start, weights=WEIGHTS)


def test_pieces_are_drawn_in_proportion_to_their_weights() -> None:
    batches = list(islice(weighted(), 150))
    rows = np.concatenate([batch.rows[:, :-1].flatten().numpy() for batch in batches])
    table = RowTable(DRUMS, known_tokens(DRUMS))
    played = [(table.tokens[row] - 128) // 16 for row in rows.tolist() if 128 <= table.tokens[row] < 2176]
    shares = np.array([played.count(pad) for pad in PADS]) / len(played)
    np.testing.assert_allclose(shares, WEIGHTS / WEIGHTS.sum(), atol=0.05)


def test_a_resumed_run_with_weights_reads_the_same_batches() -> None:
    whole = list(islice(weighted(), 9))
    for batch, expected in zip(islice(weighted(start=4), 5), whole[4:], strict=True):
        assert batch.step == expected.step
        np.testing.assert_array_equal(batch.rows, expected.rows)


def test_an_unknown_token_is_an_error() -> None:
    with pytest.raises(SettingsError, match="a piano model does not know token"):
        PIANO_TABLE.rows(np.array([wait_token(7)], np.uint16))
    with pytest.raises(SettingsError, match="token 50276 is outside the vocabulary of 5648 tokens"):
        PIANO_TABLE.rows(np.array([wait_token(5), 50276], np.uint16))


def test_validation_reads_every_piece_once_in_order() -> None:
    batches = validation_batches(pieces(), PIANO_TABLE, lanes=2, window=16)
    laid = np.concatenate([PIANO_TABLE.rows(piece) for piece in pieces()])
    half = len(laid) // 2
    first = np.concatenate([batch.rows[0, :-1].numpy() for batch in batches])
    np.testing.assert_array_equal(first, laid[: len(first)])
    assert len(first) == half - 1
    assert [bool(batch.fresh.all()) for batch in batches] == [True] + [False] * (len(batches) - 1)


@pytest.mark.parametrize("ranks", [1, 3, 20])
def test_every_device_validates_even_if_there_is_little_music(ranks: int) -> None:
    recipe = Recipe("piano", "data", layers=1, width=64, tokens=1, window=256)
    counts = []
    for rank in range(ranks):
        data = TokenData(recipe, PIANO_TABLE, Corpus(pieces(), pieces(1), None), start=0)
        data.trainer = SimpleNamespace(global_rank=rank, world_size=ranks)  # type: ignore[assignment]
        batches = list(data.val_dataloader())
        assert all(len(batch.rows) for batch in batches)
        counts.append(len(batches))
    assert set(counts) == {counts[0]}
    assert counts[0] > 0


def attributed() -> list[np.ndarray]:
    attributes = Attributes(onsets=1, voices=3, length=1, classes=4, register=64).tokens
    return [np.concatenate([np.array([START, *attributes], np.uint16), piece[1:]]) for piece in pieces()]


def test_only_attributes_are_dropped_at_random() -> None:
    read = TrainingBatches(attributed(), PIANO_TABLE, lanes=8, window=64, seed=1)
    rows = np.concatenate([batch.rows[:, :-1].flatten().numpy() for batch in islice(read, 40)])
    kept = PIANO_TABLE.attributes[rows].sum() / (PIANO_TABLE.tokens.index(START) == rows).sum()
    assert 0.35 * 5 < kept < 0.65 * 5, "none, half and all are equally frequent"
    plain = list(islice(TrainingBatches(pieces(), PIANO_TABLE, lanes=1, window=32, seed=1), 3))
    assert not any(PIANO_TABLE.attributes[batch.rows.numpy()].any() for batch in plain)


def test_an_older_model_ignores_the_attributes_of_pieces() -> None:
    older = RowTable(PIANO, tuple(token for token in known_tokens(PIANO) if not is_attribute(token)))
    for with_them, without in zip(attributed(), pieces(), strict=True):
        np.testing.assert_array_equal(older.rows(with_them, semitones=2), older.rows(without, semitones=2))


def test_a_register_is_transposed_with_the_notes() -> None:
    ids = np.array([note_token(60, 8), *Attributes(register=60).tokens], np.uint16)
    moved = [PIANO_TABLE.tokens[row] for row in PIANO_TABLE.rows(ids, semitones=-5)]
    assert moved == [note_token(55, 8), *Attributes(register=55).tokens]
