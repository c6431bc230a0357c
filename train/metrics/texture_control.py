"""Measures of control: whether a model repeats its phrase, and plays the texture named by attributes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from radio.compose.performer import Performer
from radio.model.engines.base import Engine
from radio.model.sampling import Sampling
from radio.music.attributes import PHRASE_BARS, Attributes, measure
from radio.music.parts import PIANO
from radio.music.tokenizer import events_to_notes
from radio.music.vocab import beat_token
from radio.types import TokenId
from train.data.vocabulary import RowTable, without_attributes
from train.metrics.passage import plans_of
from train.metrics.play import Piece

TIMES: Final = 4
"""Number of times that a phrase is heard."""

ASKED: Final[Mapping[str, tuple[float, ...]]] = MappingProxyType(
    {
        "onsets": (0.25, 0.75, 1.25, 2.0, 3.0),
        "voices": (1.0, 2.0, 3.0, 4.0, 6.0),
        "length": (0.25, 0.5, 1.0, 2.0, 3.5),
        "classes": (2.0, 4.0, 6.0, 8.0),
        "register": (54.0, 60.0, 66.0, 72.0, 78.0),
    }
)
"""The requested values of each attribute."""


@dataclass(frozen=True, slots=True)
class Obedience:
    """One attribute: the requested values and the means of the played ones; `correlation` is Spearman's, by phrase."""

    asked: Sequence[float]
    played: Sequence[float]
    correlation: float

    @property
    def is_monotone(self) -> bool:
        """True if each higher request gives a higher mean."""
        return all(one < other for one, other in zip(self.played, self.played[1:], strict=False))


def repeated_bits(engine: Engine, pieces: Sequence[Piece]) -> list[float]:
    """Return the bits per sampled token of the first phrase of each piece, for each of several times in a row."""
    table = RowTable(PIANO, engine.tokens)
    nats, count = np.zeros(TIMES), np.zeros(TIMES)
    for tokens, bars in pieces:
        if bars < PHRASE_BARS:
            continue
        phrase = table.rows(without_attributes(np.array(_first_phrase(tokens), np.uint16)))
        logits, state = engine.step([int(phrase[0])], engine.zero_state())
        for time in range(TIMES):
            for row in phrase[1:].tolist():
                if not table.forced[row]:
                    peak = float(logits.max())
                    nats[time] += math.log(float(np.exp(logits - peak).sum())) + peak - float(logits[row])
                    count[time] += 1
                logits, state = engine.step([row], state)
    return [float(bits) for bits in nats / np.maximum(1, count) / math.log(2)]


def obedience(engine: Engine, pieces: Sequence[Piece], sampling: Sampling, seed: int) -> dict[str, Obedience]:
    """Request values of one attribute at a time from a model, under the chords and densities of first phrases."""
    results = {}
    for name, values in ASKED.items():
        played = [
            [
                getattr(attributes, name)
                for attributes in _phrases(engine, pieces, Attributes(**{name: value}), sampling, seed)
            ]
            for value in values
        ]
        targets = np.repeat(np.arange(len(values)), [len(phrases) for phrases in played])
        means = [float(np.mean(phrases)) for phrases in played]
        results[name] = Obedience(values, means, _spearman(targets, np.concatenate(played)))
    return results


def _phrases(
    engine: Engine, pieces: Sequence[Piece], wish: Attributes, sampling: Sampling, seed: int
) -> Iterator[Attributes]:
    """Yield the attributes of the phrases that the model plays for the request `wish`."""
    for number, (tokens, _) in enumerate(pieces):
        plans = [replace(plan, attributes=wish.tokens) for plan in plans_of(tokens, PIANO.name)][:PHRASE_BARS]
        performer = Performer(engine, PIANO, (seed, number))
        events = [event for plan in plans for event in performer.play(plan, sampling)]
        attributes = measure(events_to_notes(events), len(plans))
        if attributes.register is not None:
            yield attributes


def _first_phrase(tokens: Sequence[TokenId]) -> Sequence[TokenId]:
    """Return a piece's `<start>` and its first phrase."""
    lines = [place for place, token in enumerate(tokens) if token == beat_token(1)]
    return tokens[: lines[PHRASE_BARS]] if len(lines) > PHRASE_BARS else tokens


def _spearman(one: np.typing.NDArray[np.int64], other: np.typing.NDArray[np.float64]) -> float:
    """Return the rank correlation; ties have their mean rank."""

    def ranks(values: np.typing.NDArray[np.generic]) -> np.typing.NDArray[np.float64]:
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        mean: np.typing.NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
        return mean

    return float(np.corrcoef(ranks(one), ranks(other))[0, 1])


def table(bits: Sequence[float], results: Mapping[str, Obedience]) -> str:
    """Return both as Markdown."""
    heads = " | ".join(f"time {number}" for number in range(1, len(bits) + 1))
    lines = [
        f"| bits per sampled token of a phrase, in a row | {heads} |",
        "| --- |" + " ---: |" * len(bits),
        "| | " + " | ".join(f"{value:.3f}" for value in bits) + " |",
        "",
        "| attribute | asked → played | monotone | correlation |",
        "| --- | --- | --- | ---: |",
    ]
    for name, result in results.items():
        pairs = ", ".join(
            f"{target:g} → {played:.2f}" for target, played in zip(result.asked, result.played, strict=True)
        )
        lines.append(f"| {name} | {pairs} | {'yes' if result.is_monotone else 'no'} | {result.correlation:.2f} |")
    return "\n".join(lines)
