from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from radio.compose.composer import Bar
from radio.compose.lookahead import Ahead
from radio.settings.controls import Controls
from tests.compose.test_composer import composer

CALM, WILD = Controls(temperature=0.4), Controls(temperature=1.5, density=0.9)


def bars(asked: list[Controls]) -> list[Bar]:
    plain = composer()
    return [plain.next_bar(controls) for controls in asked]


def test_bars_in_stock_are_the_bars_that_would_have_come() -> None:
    ahead = Ahead(composer())
    heard = []
    for _ in range(4):
        ahead.prepare(CALM)
        assert ahead.next_number == len(heard)
        heard.append(ahead.next_bar(CALM))
        assert ahead.next_number == len(heard)
    assert heard == bars([CALM] * 4)


def test_what_was_composed_under_other_controls_is_taken_back() -> None:
    ahead = Ahead(composer())
    heard = [ahead.next_bar(CALM)]
    ahead.prepare(CALM)
    ahead.prepare(WILD)
    ahead.prepare(CALM)
    heard.append(ahead.next_bar(WILD))
    ahead.prepare(CALM)
    heard.append(ahead.next_bar(WILD))
    heard.append(ahead.next_bar(CALM))
    assert heard == bars([CALM, WILD, WILD, CALM])
    assert heard[1] != bars([CALM] * 2)[1]


def test_a_change_of_the_mix_keeps_the_prepared_bar() -> None:
    ahead = Ahead(composer())
    ahead.prepare(CALM)
    stock = ahead._stock
    ahead.prepare(CALM.changed({"lowpass": 2_000, "drums_mute": True}))
    assert ahead._stock is stock


def test_threads_that_prepare_change_nothing() -> None:
    ahead = Ahead(composer())
    asked = [CALM, WILD, WILD, CALM, CALM]
    heard = []
    with ThreadPoolExecutor(2) as pool:
        for place, controls in enumerate(asked):
            early = [pool.submit(ahead.prepare, each) for each in (asked[place - 1], controls)]
            heard.append(ahead.next_bar(controls))
            for each in early:
                each.result()
    assert heard == bars(asked)


def test_a_skip_takes_the_bar_in_stock_back() -> None:
    ahead, plain = Ahead(composer()), composer()
    heard, expected = [ahead.next_bar(CALM)], [plain.next_bar(CALM)]
    ahead.prepare(CALM)
    ahead.skip(CALM)
    plain.skip(CALM)
    heard += [ahead.next_bar(CALM) for _ in range(2)]
    expected += [plain.next_bar(CALM) for _ in range(2)]
    assert heard == expected
    assert [bar.track.number for bar in heard] == [0, 1, 1]
