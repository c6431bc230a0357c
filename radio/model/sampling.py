"""Sampling of tokens with temperature, top-k, top-p and decaying penalties from a seeded generator."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError
from radio.music import band_events
from radio.music.vocab import parse_note_token
from radio.types import TokenId

_PRESENT = 0.05
"""A note counts as present while its decayed count is above this."""

_GREEDY = 0.01
"""Temperatures below this select the likeliest token, since the division would lose precision."""

_PITCHES = 128

_LARGEST = 10_000.0
"""Largest Euclidean norm of valid scores. Those of trained models stay below 500."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Settings of a sampler.

    temperature: 0 selects the likeliest token.
    top_p: 0–1, total probability of the likeliest tokens to keep.
    top_k: number of tokens to keep, 0 for all.
    alpha_presence: subtracted once from the logits of recently struck notes.
    alpha_frequency: subtracted once per recent strike.
    alpha_decay: 0–1, factor on the count of strikes per drawn token.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    alpha_presence: float = 0.0
    alpha_frequency: float = 0.0
    alpha_decay: float = 0.99


def check_scores(scores: npt.NDArray[np.float32]) -> None:
    """Raise ModelError if the scores of a model are not finite, or far larger than those of an intact model."""
    if not np.vdot(scores, scores) < _LARGEST**2:  # a microsecond; false for NaN and infinity
        raise ModelError("the model's scores are not finite or far too large; its checkpoint may be damaged")


@dataclass(frozen=True, slots=True)
class GeneratorState:
    """The state of numpy's default generator, PCG64: two 128-bit numbers in hexadecimal, and an unused half draw."""

    state: str
    increment: str
    has_half: int
    half: int

    @classmethod
    def of(cls, generator: np.random.Generator) -> GeneratorState:
        """Return the state of `generator`."""
        saved = generator.bit_generator.state
        numbers = saved["state"]
        return cls(f"{numbers['state']:x}", f"{numbers['inc']:x}", saved["has_uint32"], saved["uinteger"])

    def restore(self, generator: np.random.Generator) -> None:
        """Set `generator` to this state."""
        generator.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": int(self.state, 16), "inc": int(self.increment, 16)},
            "has_uint32": self.has_half,
            "uinteger": self.half,
        }


class Sampler:
    """A sampler of the rows of one model.

    counts: decayed number of recent strikes of each pitch.
    """

    def __init__(self, tokens: Sequence[TokenId], generator: np.random.Generator) -> None:
        pitches = [_struck(token) for token in tokens]
        self._pitch = np.array([_PITCHES if pitch is None else pitch for pitch in pitches])
        self.generator = generator
        self.counts = np.zeros(_PITCHES + 1, np.float32)  # the last item is for all tokens that strike no note

    def twin(self) -> Sampler:
        """Return a sampler in the same state, with its own random generator."""
        twin = copy.copy(self)
        twin.generator, twin.counts = copy.deepcopy(self.generator), self.counts.copy()
        return twin

    def draw(self, logits: npt.NDArray[np.float32], allowed: npt.NDArray[np.bool_], sampling: Sampling) -> int:
        """Draw one of the rows that are `allowed` (V,).

        Raises:
            ModelError: no row is allowed, or the logits of the allowed rows are not finite or far too large.
        """
        rows = allowed.nonzero()[0]
        if not len(rows):
            raise ModelError("the grammar allows no token; this is a bug in the radio, not in the model")
        scores = logits[rows]
        if sampling.alpha_frequency or sampling.alpha_presence:
            scores = scores - self._penalties(sampling)[self._pitch[rows]]
        check_scores(scores)
        row = int(rows[scores.argmax() if sampling.temperature < _GREEDY else self._sample(scores, sampling)])
        self.counts *= np.float32(sampling.alpha_decay)
        if self._pitch[row] < _PITCHES:
            self.counts[self._pitch[row]] += 1
        return row

    def _penalties(self, sampling: Sampling) -> npt.NDArray[np.float32]:
        """Return the penalty on the logits of each pitch's strikes; 0 for the last item."""
        by_pitch = np.float32(sampling.alpha_frequency) * self.counts
        by_pitch += np.float32(sampling.alpha_presence) * (self.counts > _PRESENT)
        return by_pitch

    def _sample(self, scores: npt.NDArray[np.float32], sampling: Sampling) -> int:
        """Return an index into `scores`, by inverse transform over the kept tokens, likeliest first.

        Uses one uniform number per draw. Only tokens that may be kept are sorted: of n tokens, those with less than
        (1 - top_p) / n of the total have less than 1 - top_p together, so the others reach top_p without them.
        """
        scaled = (scores - scores.max()) / np.float32(sampling.temperature)
        if 0 < sampling.top_k < len(scaled):
            least = np.partition(scaled, -sampling.top_k)[-sampling.top_k]
            candidates = (scaled >= least).nonzero()[0]
            candidates = candidates[(-scaled[candidates]).argsort(kind="stable")][: sampling.top_k]
            probability = np.exp(scaled[candidates].astype(np.float64))
            total = probability.sum()
        else:
            weights = np.exp(scaled.astype(np.float64))
            total = weights.sum()
            candidates = (weights >= (1 - sampling.top_p) * total / len(weights)).nonzero()[0]
            candidates = candidates[(-scaled[candidates]).argsort(kind="stable")]
            probability = weights[candidates]
        cumulative = probability.cumsum()
        # The token that reaches top_p is kept, so there is always at least one.
        keep = int(cumulative.searchsorted(sampling.top_p * total)) + 1
        cumulative = cumulative[:keep]
        index = int(cumulative.searchsorted(self.generator.random() * cumulative[-1], side="right"))
        return int(candidates[min(index, len(cumulative) - 1)])


def _struck(token: TokenId) -> int | None:
    """Return the pitch that a token strikes, or None if it strikes none or a drum of a band."""
    pair = parse_note_token(token)
    return band_events.pitch_of(token) if pair is None else pair[0] if pair[1] else None
