"""Statistics of a survey's answers: wins of each condition by question, with confidence intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from radio.server.survey.store import Answer

_Z: Final = 1.959964
"""Standard normal quantile of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Result:
    """Answers to one question about two conditions.

    wins: answers for each condition. same: answers that neither is better.
    """

    question: str
    conditions: tuple[str, str]
    wins: tuple[int, int]
    same: int

    @property
    def rate(self) -> float:
        """The share of the second condition among the answers with a preference; NaN without any."""
        decided = sum(self.wins)
        return self.wins[1] / decided if decided else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the rate, as if answers were independent."""
        return wilson(self.wins[1], sum(self.wins))


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share; 0 to 1 without trials.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 22, 1927).
    """
    if not trials:
        return 0.0, 1.0
    share, square = successes / trials, _Z**2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = _Z / (1 + square / trials) * math.sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def results(answers: Iterable[Answer]) -> list[Result]:
    """Return a result for each pair of conditions and each question, in order of their first answer."""
    counts: dict[tuple[tuple[str, str], str], Counter[str]] = {}
    for answer in answers:
        counts.setdefault((answer.conditions, answer.question), Counter())[answer.winner] += 1
    return [
        Result(question, conditions, (count[conditions[0]], count[conditions[1]]), count[""])
        for (conditions, question), count in counts.items()
    ]


def table(answers: Iterable[Answer]) -> str:
    """Return the results as Markdown."""
    lines = ["| question | conditions | first | second | same | second wins | 95 % interval |"]
    lines.append("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for result in results(answers):
        low, high = result.interval
        rate = "–" if math.isnan(result.rate) else f"{result.rate:.0%}"
        first, second = result.conditions
        lines.append(
            f"| {result.question} | {first} or {second} | {result.wins[0]} | {result.wins[1]} | {result.same} "
            f"| {rate} | {low:.0%} to {high:.0%} |"
        )
    return "\n".join(lines)
