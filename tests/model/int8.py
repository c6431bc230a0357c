"""The arithmetic of int8 weights, written down once more in numpy: inputs rounded in groups of 32, all else as is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from radio.model.engines.numpy_base import NumpyEngineBase
from radio.model.engines.numpy_engines import open_numpy_engine
from radio.model.spec.rwkv import Rwkv6Spec, Rwkv7Spec, Spec
from radio.model.weights.checkpoint import Checkpoint


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


MATRICES: dict[type[Spec], tuple[str, ...]] = {
    Rwkv6Spec: (
        *("maa_w1", "maa_w2", "decay_w1", "decay_w2", "kvrg", "output"),
        *("ffn_key", "ffn_receptance", "ffn_value"),
    ),
    Rwkv7Spec: ("receptance", "key", "value", "output", "ffn_key", "ffn_value"),
}


def rounding_engine(checkpoint: Checkpoint) -> NumpyEngineBase[Any]:
    """The numpy engine over `checkpoint` in int8, rounding as the native one does."""
    opened = open_numpy_engine(replace(checkpoint, weights=checkpoint.packed("int8")))
    engine: Any = opened
    engine._layers = [
        replace(layer, **{name: getattr(layer, name).view(Rounding) for name in MATRICES[type(checkpoint.spec)]})
        for layer in engine._layers
    ]
    if isinstance(checkpoint.spec, Rwkv7Spec):
        engine._layers = [
            replace(layer, **{name: low_rank(getattr(layer, name)) for name in ("decay", "rate", "share", "gate")})
            for layer in engine._layers
        ]
    engine._head = engine._head.view(Rounding)
    return engine


def low_rank(vector: Any) -> Any:
    """Both matrices of RWKV-7's, where a layer has it."""
    return vector and replace(vector, down=vector.down.view(Rounding), up=vector.up.view(Rounding))
