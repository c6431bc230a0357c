"""Drawing a token: temperature, top-k, top-p, penalties that decay, from a seeded generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError
from radio.music.vocab import parse_note_token
from radio.types import TokenId

_FORGOTTEN = 0.05
"""A note whose decayed count falls below this no longer counts as present."""

_GREEDY = 0.01
"""A temperature below this takes the likeliest token: the division would only lose precision."""

_PITCHES = 128


@dataclass(frozen=True, slots=True)
class Sampling:
    """How freely to draw.

    temperature: 0 takes the likeliest. top_p: 0–1, keep the likeliest tokens up to this much probability. top_k: keep
    this many, 0 all. alpha_presence, alpha_frequency: taken from the logits of notes struck lately, once and per
    strike. alpha_decay: 0–1, what a strike's count keeps with each token drawn.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    alpha_presence: float = 0.0
    alpha_frequency: float = 0.0
    alpha_decay: float = 0.99


class Sampler:
    """Draws rows of one model. Its memory is `counts`: how often each pitch was struck lately, decayed."""

    def __init__(self, tokens: Sequence[TokenId], generator: np.random.Generator) -> None:
        strikes = [parse_note_token(token) for token in tokens]
        self._pitch = np.array([pair[0] if pair and pair[1] else _PITCHES for pair in strikes])
        self.generator = generator
        self.counts = np.zeros(_PITCHES + 1, np.float32)  # the last place stands for all that is no strike

    def draw(self, logits: npt.NDArray[np.float32], allowed: npt.NDArray[np.bool_], sampling: Sampling) -> int:
        """One row, among those `allowed` (V,). Raises ModelError where nothing is."""
        rows = allowed.nonzero()[0]
        if not len(rows):
            raise ModelError("the grammar allows no token: this is a fault of the host, not of the model")
        scores = logits[rows] - self._penalties(sampling)[self._pitch[rows]]
        row = int(rows[scores.argmax() if sampling.temperature < _GREEDY else self._chosen(scores, sampling)])
        self.counts *= np.float32(sampling.alpha_decay)
        if self._pitch[row] < _PITCHES:
            self.counts[self._pitch[row]] += 1
        return row

    def _penalties(self, sampling: Sampling) -> npt.NDArray[np.float32]:
        """What is taken from the logits of each pitch's strikes."""
        by_pitch = np.float32(sampling.alpha_frequency) * self.counts
        by_pitch += np.float32(sampling.alpha_presence) * (self.counts > _FORGOTTEN)
        return by_pitch

    def _chosen(self, scores: npt.NDArray[np.float32], sampling: Sampling) -> int:
        """By inverse transform over the kept tokens, likeliest first: one uniform number a draw.

        Only tokens that can be kept are sorted. With n tokens, all those below (1 - top_p) / n of the whole make less
        than 1 - top_p together, so the others reach top_p without them.
        """
        scaled = (scores - scores.max()) / np.float32(sampling.temperature)
        if 0 < sampling.top_k < len(scaled):
            least = np.partition(scaled, -sampling.top_k)[-sampling.top_k]
            places = (scaled >= least).nonzero()[0]
            places = places[(-scaled[places]).argsort(kind="stable")][: sampling.top_k]
            probability = np.exp(scaled[places].astype(np.float64))
            total = probability.sum()
        else:
            every = np.exp(scaled.astype(np.float64))
            total = every.sum()
            places = (every >= (1 - sampling.top_p) * total / len(every)).nonzero()[0]
            places = places[(-scaled[places]).argsort(kind="stable")]
            probability = every[places]
        cumulative = probability.cumsum()
        # The token that reaches top_p is kept, so at least one always is.
        kept = int(cumulative.searchsorted(sampling.top_p * total)) + 1
        cumulative = cumulative[:kept]
        place = int(cumulative.searchsorted(self.generator.random() * cumulative[-1], side="right"))
        return int(places[min(place, len(cumulative) - 1)])
