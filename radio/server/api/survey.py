"""A listening survey: pairs of passages, and answers about them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from radio.server.api.body import Body

Choice: TypeAlias = Literal["a", "b", "same"]
"""The better side, or neither."""


class SurveyPair(Body):
    """A pair of passages."""

    place: Annotated[int, Meta(description="Place of the pair in this listener's order, from 0.")]
    a: Annotated[str, Meta(description="Address of the first passage.")]
    b: Annotated[str, Meta(description="Address of the second passage.")]
    words: Annotated[str | None, Meta(description="Description that the music should match.")]


class SurveyVisit(Body):
    """A listener's pairs."""

    listener: Annotated[str, Meta(description="Random name of this visit, to be sent with the answers.")]
    title: Annotated[str, Meta(description="Title of the survey.")]
    pairs: list[SurveyPair]


class SurveyAnswers(Body, kw_only=True):
    """A listener's answers about one pair."""

    listener: Annotated[str, Meta(description="Name of the visit.", max_length=64)]
    place: Annotated[int, Meta(description="Place of the pair, from 0.", ge=0, le=1_000)]
    balance: Choice
    quality: Choice
    match: Choice | UnsetType = UNSET
