"""The arithmetic of int8 weights, written down once more in numpy: inputs rounded in groups of 32, all else as is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from radio.model import numpy_engine
from radio.model.checkpoint import Checkpoint
from radio.model.numpy_engine import NumpyEngine


def rounded(inputs: np.ndarray) -> np.ndarray:
    """Each group of 32 along the last axis to 127 steps of its largest magnitude."""
    room = -inputs.shape[-1] % 32
    padded = np.pad(inputs, [(0, 0)] * (inputs.ndim - 1) + [(0, room)])
    groups = padded.reshape(*padded.shape[:-1], -1, 32)
    scale = np.abs(groups).max(axis=-1, keepdims=True) / np.float32(127)
    whole = np.rint(np.divide(groups, scale, out=np.zeros_like(groups), where=scale > 0)) * scale
    return whole.reshape(padded.shape)[..., : inputs.shape[-1]]


class Rounding(np.ndarray):
    """A matrix that rounds whatever it is multiplied by."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [each.view(np.ndarray) if isinstance(each, Rounding) else each for each in inputs]
        if ufunc is np.matmul and isinstance(inputs[0], Rounding):
            column = plain[1].ndim > 1
            vectors = plain[1].swapaxes(-1, -2) if column else plain[1]
            plain[1] = rounded(vectors).swapaxes(-1, -2) if column else rounded(vectors)
        return getattr(ufunc, method)(*plain, **options)


def rounding_engine(checkpoint: Checkpoint) -> NumpyEngine:
    """The numpy engine over `checkpoint` in int8, rounding as the native one does."""
    engine = NumpyEngine(replace(checkpoint, weights=checkpoint.packed("int8")))
    names = ("maa_w1", "maa_w2", "decay_w1", "decay_w2", "kvrg", "output", "ffn_key", "ffn_receptance", "ffn_value")
    engine._layers = [
        replace(layer, **{name: getattr(layer, name).view(Rounding) for name in names}) for layer in engine._layers
    ]
    engine._head = engine._head.view(Rounding)
    assert isinstance(engine._layers[0], numpy_engine._Layer)
    return engine
