from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
from scipy.stats import binomtest

from radio.errors import SettingsError
from radio.server.survey.statistics import results, table, wilson
from radio.server.survey.store import Answer, Store, write_csv


def answer(number: int, question: str, winner: str) -> Answer:
    return Answer(float(number), f"listener {number}", "day", "felt", "rhodes", False, question, winner)


@pytest.mark.parametrize(("successes", "trials"), [(0, 9), (3, 10), (50, 60), (7, 7)])
def test_the_interval_is_wilsons(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-5)


def test_every_rate_is_possible_without_answers() -> None:
    assert wilson(0, 0) == (0, 1)
    (result,) = results([answer(0, "quality", "")])
    assert math.isnan(result.rate)
    assert "–" in table([answer(0, "quality", "")])


def test_wins_are_counted_by_question() -> None:
    answers = [answer(i, "quality", "rhodes" if i < 7 else "felt") for i in range(10)]
    answers += [answer(i, "balance", "") for i in range(3)]
    quality, balance = results(answers)
    assert (quality.question, quality.wins, quality.same, quality.rate) == ("quality", (3, 7), 0, 0.7)
    assert (balance.wins, balance.same) == ((0, 0), 3)
    assert "| quality | felt or rhodes | 3 | 7 | 0 | 70% |" in table(answers)


def test_answers_survive_closing_the_store_and_later_ones_replace_earlier_ones(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with Store(path) as store:
        store.add_answers([answer(0, "quality", "felt"), answer(1, "quality", "")])
        store.add_answers([answer(0, "quality", "rhodes")])
    with Store(path) as store:
        answers = store.answers()
    assert sorted(one.winner for one in answers) == ["", "rhodes"]
    file = io.StringIO()
    write_csv(answers, file)
    assert file.getvalue().splitlines()[0] == "time,listener,pair,first,second,swapped,question,winner"
    assert len(file.getvalue().splitlines()) == 3


def test_a_file_that_is_not_a_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_text("this is not a database" * 100)
    with pytest.raises(SettingsError, match="cannot be opened"):
        Store(path)
