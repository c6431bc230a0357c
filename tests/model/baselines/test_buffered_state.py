"""States that share a buffer behave like values: later steps never change an earlier state."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.errors import ModelError
from radio.model.baselines.buffered_state import append_row
from radio.model.baselines.rotary import PERIOD, angles
from radio.model.baselines.transformer import TransformerEngine
from radio.model.engines.base import State
from radio.model.spec.baselines import TransformerSpec
from tests.model.models import random_checkpoint

MAX_ROWS = 4
EMPTY = State(np.zeros((0, 1), np.float32))
SPEC = TransformerSpec(1, 32, 50, context=6)


def append(state: State, number: int) -> State:
    new_state, row = append_row(state, MAX_ROWS)
    row[:] = number
    return new_state


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 99)), max_size=40))
def test_every_state_holds_the_last_rows_of_its_own_history(steps: list[tuple[int, int]]) -> None:
    """Steps continue from any earlier state, so the histories form a tree."""
    states, histories = [EMPTY], [[]]
    for choice, number in steps:
        parent = choice % len(states)
        states.append(append(states[parent], number))
        histories.append([*histories[parent], number])
    for state, history in zip(states, histories, strict=True):
        assert state.memory[:, 0].tolist() == history[-MAX_ROWS:]


def test_the_first_continuation_shares_memory_and_the_second_copies() -> None:
    parent = append(EMPTY, 1)
    first, second = append(parent, 2), append(parent, 3)
    assert np.shares_memory(parent.memory, first.memory)
    assert not np.shares_memory(first.memory, second.memory)
    assert [state.memory[:, 0].tolist() for state in (parent, first, second)] == [[1], [1, 2], [1, 3]]


def test_a_stream_copies_its_rows_once_per_max_rows_steps() -> None:
    states = [EMPTY]
    for number in range(50 * MAX_ROWS):
        states.append(append(states[-1], number))
    copied = [not np.shares_memory(before.memory, after.memory) for before, after in pairwise(states)]
    assert sum(copied) <= 50 + 2


def test_threads_that_continue_from_one_state_do_not_interfere() -> None:
    parent = append(EMPTY, 0)

    def continue_from_parent(number: int) -> list[float]:
        state = parent
        for _ in range(300):
            state = append(state, number)
        return state.memory[:, 0].tolist()

    with ThreadPoolExecutor(8) as pool:
        for number, rows in enumerate(pool.map(continue_from_parent, range(8))):
            assert rows == [number] * MAX_ROWS


def test_the_memory_of_a_state_is_read_only() -> None:
    state = append(EMPTY, 1)
    with pytest.raises(ValueError, match="read-only"):
        state.memory[0, 0] = 2


def pickled(state: State) -> State:
    return pickle.loads(pickle.dumps(state))  # noqa: S301  # trusted data


@pytest.mark.parametrize("make_copy", [copy.deepcopy, copy.copy, pickled])
def test_a_copy_of_a_state_continues_like_the_original(make_copy) -> None:
    engine = TransformerEngine(random_checkpoint(SPEC))
    _, state = engine.step([1, 2, 3] * 5, engine.zero_state())
    copied = make_copy(state)
    assert not np.shares_memory(copied.memory, state.memory)
    for row in (4, 5, 6, 7, 8, 9, 10, 11):
        expected, state = engine.step([row], state)
        logits, copied = engine.step([row], copied)
        np.testing.assert_array_equal(logits, expected)


def test_tokens_before_the_context_have_no_effect() -> None:
    """The position in the stream has no effect either, apart from the rounding of angles."""
    engine = TransformerEngine(random_checkpoint(SPEC))
    recent = [7, 8, 9, 10, 11, 12]
    near, _ = engine.step(recent, engine.zero_state())
    far, state = engine.step([*([3] * 500), *recent], engine.zero_state())
    np.testing.assert_allclose(near, far, atol=1e-4, rtol=1e-4)
    assert state.memory.shape == (6, 1 + 2 * 32)
    assert state.memory[:, 0].tolist() == list(range(500, 506))


def test_positions_wrap_around_without_a_discontinuity() -> None:
    near, far = (angles(positions, 32) for positions in ([5, 11], [PERIOD + 5, PERIOD + 11]))
    np.testing.assert_array_equal(near, far)
    engine = TransformerEngine(random_checkpoint(SPEC))
    _, state = engine.step([1, 2, 3, 4], engine.zero_state())
    late = state.memory.copy()
    late[:, 0] = [PERIOD - 4, PERIOD - 3, PERIOD - 2, PERIOD - 1]
    assert engine.step([5], State(late))[1].memory[-1, 0] == 0
    wrapped, unwrapped = angles([PERIOD - 1, 0, 1], 32), angles([PERIOD - 2, PERIOD - 1, PERIOD], 32)
    distance = np.exp(1j * np.diff(wrapped, axis=0)) - np.exp(1j * np.diff(unwrapped, axis=0))
    np.testing.assert_allclose(distance, 0, atol=1e-9)


def test_states_with_too_many_rows_or_wrong_columns_are_rejected() -> None:
    engine = TransformerEngine(random_checkpoint(SPEC))
    columns = engine.zero_state().memory.shape[1]
    for shape in ((7, columns), (3, columns - 1)):
        with pytest.raises(ModelError, match="a state of this model has"):
            engine.step([1], State(np.zeros(shape, np.float32)))
