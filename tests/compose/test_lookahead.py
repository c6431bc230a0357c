from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest

from radio.compose.bar import Bar
from radio.compose.composer import Composer
from radio.compose.lookahead import Ahead
from radio.errors import ModelError
from radio.model.engines.base import Array, Engine, State
from radio.settings.controls import Controls
from radio.types import SKIP
from tests.compose.test_composer import composer
from tests.model.models import engine

CALM, WILD = Controls(temperature=0.4), Controls(temperature=1.5, density=0.9)


@cache
def played(*controls_by_bar: Controls) -> tuple[Bar, ...]:
    plain = composer()
    return tuple(plain.next_bar(controls) for controls in controls_by_bar)


def bars(controls_by_bar: list[Controls]) -> list[Bar]:
    """Return the bars of a composer that composes nothing ahead."""
    return list(played(*controls_by_bar))


def test_bars_composed_ahead_equal_those_composed_on_time() -> None:
    ahead = Ahead(composer())
    composed = []
    for _ in range(4):
        ahead.prepare(CALM)
        assert ahead.next_number == len(composed)
        composed.append(ahead.next_bar(CALM))
        assert ahead.next_number == len(composed)
    assert composed == bars([CALM] * 4)


def test_a_bar_composed_under_other_controls_is_discarded() -> None:
    ahead = Ahead(composer())
    composed = [ahead.next_bar(CALM)]
    ahead.prepare(CALM)
    ahead.prepare(WILD)
    ahead.prepare(CALM)
    composed.append(ahead.next_bar(WILD))
    ahead.prepare(CALM)
    composed.append(ahead.next_bar(WILD))
    composed.append(ahead.next_bar(CALM))
    assert composed == bars([CALM, WILD, WILD, CALM])
    assert composed[1] != bars([CALM] * 2)[1]


def test_a_change_of_the_mix_keeps_the_prepared_bar() -> None:
    ahead = Ahead(composer())
    ahead.prepare(CALM)
    stock = ahead._stock
    ahead.prepare(CALM.changed({"lowpass": 2_000, "drums_mute": True}))
    assert ahead._stock is stock


def test_any_change_of_the_music_is_heard_in_a_bar_that_was_prepared_before_it() -> None:
    ahead, controls = Ahead(composer()), [CALM]
    composed = [ahead.next_bar(CALM)]
    for patch in ({"tempo_variety": 0.0}, {"keys_instrument": "organ"}, {"drum_kit": "brushes"}, {"swing": 66.0}):
        ahead.prepare(controls[-1])
        controls.append(controls[-1].changed(patch))
        composed.append(ahead.next_bar(controls[-1]))
    assert composed == bars(controls)


def test_preparing_in_other_threads_does_not_change_the_bars() -> None:
    ahead = Ahead(composer())
    controls_by_bar = [CALM, WILD, WILD, CALM, CALM]
    composed = []
    with ThreadPoolExecutor(2) as pool:
        for place, controls in enumerate(controls_by_bar):
            early = [pool.submit(ahead.prepare, other) for other in (controls_by_bar[place - 1], controls)]
            composed.append(ahead.next_bar(controls))
            for future in early:
                future.result()
    assert composed == bars(controls_by_bar)


def test_a_skip_discards_the_bar_composed_ahead() -> None:
    ahead, plain = Ahead(composer()), composer()
    composed, expected = [ahead.next_bar(CALM)], [plain.next_bar(CALM)]
    ahead.prepare(CALM)
    ahead.act(SKIP, CALM)
    plain.act(SKIP, CALM)
    composed += [ahead.next_bar(CALM) for _ in range(2)]
    expected += [plain.next_bar(CALM) for _ in range(2)]
    assert composed == expected
    assert [bar.track.number for bar in composed] == [0, 1, 1]


class FailingEngine:
    """An engine whose logits are wrong in some of its steps."""

    def __init__(self, engine: Engine, wrong: float) -> None:
        self._engine = engine
        self._wrong = wrong
        self.tokens = engine.tokens
        self.zero_state = engine.zero_state
        self.steps = 0
        self.failing: frozenset[int] = frozenset()

    def step(self, rows: Sequence[int], state: State) -> tuple[Array, State]:
        logits, after = self._engine.step(rows, state)
        return self._broken(logits), after

    def step_batch(self, rows: Sequence[int], states: Sequence[State]) -> tuple[Array, Sequence[State]]:
        logits, after = self._engine.step_batch(rows, states)
        return self._broken(logits), after

    def _broken(self, logits: Array) -> Array:
        self.steps += 1
        return np.full_like(logits, self._wrong) if self.steps in self.failing else logits


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e30])
def test_a_bar_in_which_a_model_fails_is_composed_again_and_is_the_same(wrong: float) -> None:
    failing = FailingEngine(engine("piano"), wrong)
    ahead = Ahead(composer(piano=failing))
    composed = [ahead.next_bar(CALM)]
    failing.failing = frozenset({failing.steps + 2, failing.steps + 7})
    composed += [ahead.next_bar(CALM) for _ in range(3)]
    assert failing.steps > max(failing.failing)
    assert composed == bars([CALM] * 4)


def test_a_model_that_fails_while_the_state_is_saved_is_tried_again() -> None:
    failing = FailingEngine(engine("piano"), np.nan)
    ahead = Ahead(composer(piano=failing))
    composed = [ahead.next_bar(CALM)]
    failing.failing = frozenset({failing.steps + 1, failing.steps + 2})
    ahead.save()
    assert failing.steps == max(failing.failing) + 1
    composed += [ahead.next_bar(CALM) for _ in range(3)]
    assert composed == bars([CALM] * 4)


def test_a_model_that_fails_every_time_is_an_error_and_the_composer_can_continue() -> None:
    failing = FailingEngine(engine("piano"), np.nan)
    ahead = Ahead(composer(piano=failing))
    composed = [ahead.next_bar(CALM)]
    failing.failing = frozenset(range(failing.steps, failing.steps + 10_000))
    with pytest.raises(ModelError, match="not finite"):
        ahead.next_bar(CALM)
    failing.failing = frozenset()
    composed += [ahead.next_bar(CALM) for _ in range(3)]
    assert composed == bars([CALM] * 4)


def test_a_bar_that_could_not_be_composed_is_still_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    player = composer()
    ahead = Ahead(player)
    composed = [ahead.next_bar(CALM)]

    def fail_late(controls: Controls) -> Bar:
        Composer.next_bar(player, controls)
        raise ModelError("broken")

    monkeypatch.setattr(player, "next_bar", fail_late)
    with pytest.raises(ModelError, match="broken"):
        ahead.next_bar(CALM)
    monkeypatch.undo()
    composed += [ahead.next_bar(CALM) for _ in range(3)]
    assert composed == bars([CALM] * 4)
