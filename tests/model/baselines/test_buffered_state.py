"""States that share a buffer are values all the same: nothing that was kept ever changes, whoever goes on from it."""

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
from tests.model.models import of_spec

KEEP = 4
EMPTY = State(np.zeros((0, 1), np.float32))
SPEC = TransformerSpec(1, 32, 50, context=6)


def after(state: State, number: int) -> State:
    made, row = append_row(state, KEEP)
    row[:] = number
    return made


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 99)), max_size=40))
def test_every_state_is_the_last_rows_of_its_own_past(steps: list[tuple[int, int]]) -> None:
    """Going on from any state that there ever was: a tree of pasts, each with its own memory."""
    states, pasts = [EMPTY], [[]]
    for place, number in steps:
        from_ = place % len(states)
        states.append(after(states[from_], number))
        pasts.append([*pasts[from_], number])
    for state, past in zip(states, pasts, strict=True):
        assert state.memory[:, 0].tolist() == past[-KEEP:]


def test_going_on_copies_nothing_and_going_on_twice_does() -> None:
    kept = after(EMPTY, 1)
    one, other = after(kept, 2), after(kept, 3)
    assert np.shares_memory(kept.memory, one.memory)
    assert not np.shares_memory(one.memory, other.memory)
    assert [each.memory[:, 0].tolist() for each in (kept, one, other)] == [[1], [1, 2], [1, 3]]


def test_a_buffer_is_copied_once_in_as_many_steps_as_it_keeps_rows() -> None:
    states = [EMPTY]
    for number in range(50 * KEEP):
        states.append(after(states[-1], number))
    copied = [not np.shares_memory(one.memory, other.memory) for one, other in pairwise(states)]
    assert sum(copied) <= 50 + 2


def test_two_threads_that_go_on_from_one_state_do_not_meet() -> None:
    kept = after(EMPTY, 0)

    def line(number: int) -> list[float]:
        state = kept
        for _ in range(300):
            state = after(state, number)
        return state.memory[:, 0].tolist()

    with ThreadPoolExecutor(8) as pool:
        for number, found in enumerate(pool.map(line, range(8))):
            assert found == [number] * KEEP


def test_what_is_kept_cannot_be_written_on() -> None:
    kept = after(EMPTY, 1)
    with pytest.raises(ValueError, match="read-only"):
        kept.memory[0, 0] = 2


def pickled(state: State) -> State:
    return pickle.loads(pickle.dumps(state))  # noqa: S301  # our own


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, pickled])
def test_a_copy_of_a_state_goes_on_as_the_state_does(copied) -> None:
    engine = TransformerEngine(of_spec(SPEC))
    _, kept = engine.step([1, 2, 3] * 5, engine.zero_state())
    stored = copied(kept)
    assert not np.shares_memory(stored.memory, kept.memory)
    for row in (4, 5, 6, 7, 8, 9, 10, 11):
        here, kept = engine.step([row], kept)
        there, stored = engine.step([row], stored)
        np.testing.assert_array_equal(here, there)


def test_the_context_is_all_that_counts() -> None:
    """What lies before it changes nothing, nor where in the stream it stands, but for the rounding of angles."""
    engine = TransformerEngine(of_spec(SPEC))
    recent = [7, 8, 9, 10, 11, 12]
    near, _ = engine.step(recent, engine.zero_state())
    far, state = engine.step([*([3] * 500), *recent], engine.zero_state())
    np.testing.assert_allclose(near, far, atol=1e-4, rtol=1e-4)
    assert state.memory.shape == (6, 1 + 2 * 32)
    assert state.memory[:, 0].tolist() == list(range(500, 506))


def test_positions_begin_again_without_a_seam() -> None:
    """A stream's 65,537th token is to attention what any other is."""
    near, far = (angles(positions, 32) for positions in ([5, 11], [PERIOD + 5, PERIOD + 11]))
    np.testing.assert_array_equal(near, far)
    engine = TransformerEngine(of_spec(SPEC))
    _, state = engine.step([1, 2, 3, 4], engine.zero_state())
    late = state.memory.copy()
    late[:, 0] = [PERIOD - 4, PERIOD - 3, PERIOD - 2, PERIOD - 1]
    assert engine.step([5], State(late))[1].memory[-1, 0] == 0
    turned, expected = angles([PERIOD - 1, 0, 1], 32), angles([PERIOD - 2, PERIOD - 1, PERIOD], 32)
    distance = np.exp(1j * np.diff(turned, axis=0)) - np.exp(1j * np.diff(expected, axis=0))
    np.testing.assert_allclose(distance, 0, atol=1e-9)


def test_states_that_no_context_holds_are_refused() -> None:
    engine = TransformerEngine(of_spec(SPEC))
    columns = engine.zero_state().memory.shape[1]
    for shape in ((7, columns), (3, columns - 1)):
        with pytest.raises(ModelError, match="a state of this model has"):
            engine.step([1], State(np.zeros(shape, np.float32)))
