"""A prompt in words, and its interpretation."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from radio.prompt.changes import LONGEST
from radio.prompt.targets import STEPS
from radio.server.api.body import Body, LiveEdge, SampleRate
from radio.server.api.station import ControlValue, LandedControl

MOST_BARS: Final = 16


class Prompt(Body):
    """Words that describe the music."""

    text: Annotated[
        str,
        Meta(
            description="For example: rainy night, slow, felt piano, no drums.",
            min_length=1,
            max_length=LONGEST,
            extra={"allowed": f"a text of 1 to {LONGEST} characters"},
        ),
    ]
    bars: Annotated[
        int, Meta(description="Bars over which numbers move to their new values, in even steps.", ge=1, le=MOST_BARS)
    ] = STEPS


class PromptPhrase(Body):
    """A phrase of a prompt, and its interpretation."""

    text: str
    start: Annotated[int, Meta(description="Index of its first character in the prompt.")]
    end: Annotated[int, Meta(description="Index after its last character.")]
    understood: Annotated[bool, Meta(description="False for words without an audible effect.")]
    controls: Annotated[dict[str, ControlValue], Meta(description="The values that it sets, by control.")]
    notes: Annotated[list[str], Meta(description="Remarks, and the reason if it was not understood.")]


class PromptAnswer(Body):
    """The phrases of a prompt in order, and the controls that change."""

    text: str
    phrases: list[PromptPhrase]
    not_understood: Annotated[list[str], Meta(description="The phrases without an audible effect.")]
    controls: Annotated[
        dict[str, LandedControl],
        Meta(description="Each changed control, with its final value and the position where it begins to change."),
    ]
    bars: int
    compares: Annotated[
        bool, Meta(description="Whether words outside the lexicon were compared by meaning; requires the extra `text`.")
    ]
    live: LiveEdge
    sample_rate: SampleRate
