from __future__ import annotations

import pytest

from tests.prompt.expectations import Expectation, expectations, halves, judged

WRONG_IN_SECOND_HALF = 3
"""Wrong facets in the second half, out of 283."""


def test_there_are_two_hundred_prompts_and_a_third_has_negations_or_numbers() -> None:
    every = list(expectations())
    assert len(every) == len({expectation.prompt for expectation in every}) == 200
    negative = [e for e in every if any(x.endswith("=off") for x in e.needed) or any(s.isdigit() for s in e.prompt)]
    assert len(negative) >= 67


@pytest.mark.parametrize("expectation", halves()[0], ids=lambda expectation: expectation.prompt[:40])
def test_a_prompt_is_read_as_a_person_would_read_it(expectation: Expectation) -> None:
    missing, extra, _ = judged(expectation)
    assert not missing
    assert not extra


def test_nearly_all_facets_of_the_second_half_are_right() -> None:
    right = wrong = 0
    for expectation in halves()[1]:
        missing, extra, count = judged(expectation)
        right, wrong = right + count, wrong + len(missing) + len(extra)
    assert wrong <= WRONG_IN_SECOND_HALF
    assert right / (right + wrong) > 0.95
