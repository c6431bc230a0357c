from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from radio.compose.composer import Bar
from radio.compose.lookahead import Ahead
from radio.settings.controls import Controls
from radio.types import SKIP
from tests.compose.test_composer import composer

CALM, WILD = Controls(temperature=0.4), Controls(temperature=1.5, density=0.9)


def bars(controls_by_bar: list[Controls]) -> list[Bar]:
    plain = composer()
    return [plain.next_bar(controls) for controls in controls_by_bar]


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
