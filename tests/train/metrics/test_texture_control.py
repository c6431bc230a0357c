from __future__ import annotations

import numpy as np
import pytest

from radio.model.engines.numpy_rwkv6 import NumpyRwkv6Engine
from radio.model.sampling import Sampling
from radio.model.spec.rwkv import Rwkv6Spec
from radio.model.weights.checkpoint import Checkpoint
from radio.music.chords import parse_chord
from radio.music.events import Note
from radio.music.parts import PIANO
from radio.types import TICKS_PER_BAR
from tests.model.models import random_network
from train.data.corpus.piece import Piece
from train.data.vocabulary import known_tokens
from train.metrics.texture_control import ASKED, TIMES, Obedience, _spearman, obedience, repeated_bits, table


@pytest.fixture(scope="module")
def engine() -> NumpyRwkv6Engine:
    tokens = known_tokens(PIANO)
    spec = Rwkv6Spec(1, 64, len(tokens))
    arrays = {name: tensor.detach().numpy().copy() for name, tensor in random_network(spec).state_dict().items()}
    return NumpyRwkv6Engine(Checkpoint(PIANO, spec, tokens, arrays, {}))


def piece() -> tuple[list[int], int]:
    notes = [Note(bar * TICKS_PER_BAR, bar * TICKS_PER_BAR + 240, pitch, 80) for bar in range(5) for pitch in (60, 67)]
    made = Piece("x", PIANO, "train", 5, notes, [parse_chord("Cmaj7")] * 20)
    return made.tokens(), made.bars


def test_both_measures_have_a_value_for_every_request(engine: NumpyRwkv6Engine) -> None:
    bits = repeated_bits(engine, [piece(), ([1], 1)])
    assert len(bits) == TIMES
    assert all(value > 0 for value in bits)
    results = obedience(engine, [piece()], Sampling(), 1)
    assert {name: len(result.played) for name, result in results.items()} == {n: len(v) for n, v in ASKED.items()}
    assert "| register | 54 → " in table(bits, results)


def test_a_model_obeys_if_it_plays_more_when_asked_for_more() -> None:
    assert Obedience((1, 2, 3), (1.0, 1.5, 1.6), 0.9).is_monotone
    assert not Obedience((1, 2, 3), (1.0, 1.5, 1.4), 0.9).is_monotone
    assert _spearman(np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(0.894, abs=0.001)
    assert _spearman(np.array([0, 1, 2]), np.array([9.0, 5.0, 1.0])) == -1
