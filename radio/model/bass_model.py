"""The bass model: the probability of each pitch as the next note of a walking bass.

A small network reads the position of the note (chord, beat, next chord) and the last notes of the line. The logit of a
pitch is the sum of four scores: for its interval to the chord's root, for its interval to the root of the next chord,
for its distance from the last note, and for its height. So the model learns each of them once, not once per key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError
from radio.model.weights import tensorfile
from radio.music.chords import Chord
from radio.music.vocab import QUALITIES
from radio.types import BEATS_PER_BAR, JsonValue

Array = npt.NDArray[np.float32]

LOWEST: Final = 28
"""E1, a bass guitar's lowest string."""
HIGHEST: Final = 55
PITCHES: Final = np.arange(LOWEST, HIGHEST + 1)

HISTORY: Final = 4
"""Notes of the line that the model sees."""

FORMAT: Final = "radio-bass-1"

_QUALITIES: Final = len(QUALITIES) - 1  # no chord, no bass
_FURTHEST: Final = 13
"""Larger steps are clipped to this many semitones."""
_STEPS: Final = 2 * _FURTHEST + 2
"""Number of distinct steps, plus one value for an unknown step."""
_LONGEST_SINCE: Final = 4
_LONGEST_LEFT: Final = 9

_FEATURES: Final = {
    "quality": _QUALITIES,
    "beat": BEATS_PER_BAR,
    "since": _LONGEST_SINCE + 1,
    "left": _LONGEST_LEFT,
    "next root": 12,
    "next quality": _QUALITIES,
    "beat and since": BEATS_PER_BAR * (_LONGEST_SINCE + 1),
    "left and next root": 4 * 12,
    "quality and last interval": _QUALITIES * 13,
    **{f"interval {number}": 13 for number in range(1, HISTORY + 1)},
    **{f"step {number}": _STEPS for number in range(1, HISTORY)},
    "height": len(PITCHES) + 1,
}
"""Number of values of each feature; each value has a row in the embedding."""

ROWS: Final = sum(_FEATURES.values())
FEATURES: Final = len(_FEATURES)
_OFFSETS: Final = (0, *accumulate(_FEATURES.values()))[:-1]

_SCORES: Final = {"interval": 12, "step": _STEPS, "next interval": 12, "height": len(PITCHES)}
OUTPUTS: Final = sum(_SCORES.values())
SCORED: Final = len(_SCORES)
_SCORE_OFFSETS: Final = (0, *accumulate(_SCORES.values()))[:-1]


@dataclass(frozen=True, slots=True)
class BassContext:
    """The position of a note in the chords, the bar and the line.

    chord, following: the current chord and the next one. beat: 0–3. since, left: beats since the chord began, and until
    the next one begins. line: the last pitches, latest first; unknown ones are left out.
    """

    chord: Chord
    following: Chord
    beat: int
    since: int
    left: int
    line: Sequence[int]

    def rows(self) -> list[int]:
        """Return the rows of the embedding (FEATURES,)."""
        quality, next_quality = QUALITIES.index(self.chord.quality), QUALITIES.index(self.following.quality)
        next_root = (self.following.root - self.chord.root) % 12
        since, left = min(self.since, _LONGEST_SINCE), min(max(self.left, 1), _LONGEST_LEFT) - 1
        line = [*self.line[:HISTORY], *([None] * (HISTORY - len(self.line)))]
        intervals = [12 if pitch is None else (pitch - self.chord.root) % 12 for pitch in line]
        steps = [_step(pitch, before) for pitch, before in pairwise(line)]
        values = [
            quality, self.beat, since, left, next_root, next_quality,
            self.beat * (_LONGEST_SINCE + 1) + since,
            min(left, 3) * 12 + next_root,
            quality * 13 + intervals[0],
            *intervals,
            *steps,
            len(PITCHES) if line[0] is None else line[0] - LOWEST,
        ]  # fmt: skip
        return [offset + value for offset, value in zip(_OFFSETS, values, strict=True)]

    def scores(self) -> npt.NDArray[np.intp]:
        """Return the outputs that add up to each pitch's logit (SCORED, len(PITCHES))."""
        last = self.line[0] if self.line else None
        steps = [_step(int(pitch), last) for pitch in PITCHES]
        values = (
            (PITCHES - self.chord.root) % 12,
            np.array(steps),
            (PITCHES - self.following.root) % 12,
            PITCHES - LOWEST,
        )
        return np.stack([offset + value for offset, value in zip(_SCORE_OFFSETS, values, strict=True)])


def _step(pitch: int | None, before: int | None) -> int:
    if pitch is None or before is None:
        return _STEPS - 1
    return min(max(pitch - before, -_FURTHEST), _FURTHEST) + _FURTHEST


@dataclass(frozen=True)
class BassModel:
    """A network with one hidden layer.

    embedding: (ROWS, width). bias: (width,). output: (OUTPUTS, width). output_bias: (OUTPUTS,). card: attribution and
    figures, as JSON.
    """

    embedding: Array
    bias: Array
    output: Array
    output_bias: Array
    card: Mapping[str, JsonValue]

    def probabilities(self, context: BassContext) -> Array:
        """Return the probability of each of `PITCHES`. Raises ValueError if the context has no chord."""
        if "none" in (context.chord.quality, context.following.quality):
            raise ValueError("the bass model needs a chord")
        hidden = np.tanh(self.embedding[context.rows()].sum(axis=0) + self.bias)
        logits = (self.output @ hidden + self.output_bias)[context.scores()].sum(axis=0)
        weights = np.exp(logits - logits.max())
        probabilities: Array = weights / weights.sum()
        return probabilities


def _arrays(width: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a model's arrays by name."""
    return {"embedding": (ROWS, width), "bias": (width,), "output": (OUTPUTS, width), "output_bias": (OUTPUTS,)}


def empty(width: int = 1) -> BassModel:
    """Return a model that gives all pitches the same probability."""
    return BassModel(
        **{name: np.zeros(shape, np.float32) for name, shape in _arrays(width).items()}, card=MappingProxyType({})
    )


UNTRAINED: Final = empty()


def write(path: Path, model: BassModel) -> None:
    """Write a model, and its card as a JSON file next to it."""
    arrays = {name: getattr(model, name) for name in _arrays(0)}
    tensorfile.write(path, arrays, {"format": FORMAT, "card": json.dumps(dict(model.card), ensure_ascii=False)})
    path.with_suffix(".json").write_text(json.dumps(dict(model.card), indent=2, ensure_ascii=False) + "\n")


def read(path: Path) -> BassModel:
    """Read a model.

    Raises:
        ModelError: The file is missing, truncated, not a bass model, or its arrays or numbers are invalid.
    """
    arrays, metadata = tensorfile.read(path)
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{path}: not a bass model (format {metadata.get('format')!r}); use a {FORMAT} file")
    try:
        card = json.loads(metadata["card"])
    except (KeyError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: its header is malformed ({error!r})") from error
    if not isinstance(card, dict):
        raise ModelError(f"{path}: its header is malformed (the card must be a JSON object)")
    width = arrays["bias"].size if "bias" in arrays else 0
    shapes = _arrays(width)
    if set(arrays) != set(shapes) or width == 0:
        raise ModelError(f"{path}: has the arrays {sorted(arrays)}; a bass model has {sorted(shapes)}")
    weights: dict[str, Array] = {}
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.float32:
            raise ModelError(f"{path}: {name} has shape {array.shape} of {array.dtype}; it must be {shape} of float32")
        if not np.isfinite(array).all():
            raise ModelError(f"{path}: {name} contains numbers that are not finite")
        weights[name] = array.astype(np.float32)
    return BassModel(**weights, card=card)
