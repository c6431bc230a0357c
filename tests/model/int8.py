"""A numpy reference of the int8 arithmetic: inputs are rounded in groups of 32, the rest is float32."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from radio.model.engines.numpy_base import NumpyEngineBase
from radio.model.engines.numpy_engines import open_numpy_engine
from radio.model.spec.experts import ExpertsSpec
from radio.model.spec.rwkv import Rwkv6Spec, Rwkv7Spec, Spec
from radio.model.weights.checkpoint import Checkpoint


def rounded(inputs: np.ndarray) -> np.ndarray:
    """Round each group of 32 along the last axis to 127 steps of its largest magnitude."""
    padding = -inputs.shape[-1] % 32
    padded = np.pad(inputs, [(0, 0)] * (inputs.ndim - 1) + [(0, padding)])
    groups = padded.reshape(*padded.shape[:-1], -1, 32)
    scale = np.abs(groups).max(axis=-1, keepdims=True) / np.float32(127)
    whole = np.rint(np.divide(groups, scale, out=np.zeros_like(groups), where=scale > 0)) * scale
    return whole.reshape(padded.shape)[..., : inputs.shape[-1]]


class Rounding(np.ndarray):
    """A matrix that rounds the inputs of a multiplication."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [array.view(np.ndarray) if isinstance(array, Rounding) else array for array in inputs]
        if ufunc is np.matmul and isinstance(inputs[0], Rounding):
            column = plain[1].ndim > 1
            vectors = plain[1].swapaxes(-1, -2) if column else plain[1]
            plain[1] = rounded(vectors).swapaxes(-1, -2) if column else rounded(vectors)
        return getattr(ufunc, method)(*plain, **options)


RWKV6_MATRICES = ("maa_w1", "maa_w2", "decay_w1", "decay_w2", "kvrg", "output")
MATRICES: dict[type[Spec], tuple[str, ...]] = {
    Rwkv6Spec: RWKV6_MATRICES,
    ExpertsSpec: RWKV6_MATRICES,
    Rwkv7Spec: ("receptance", "key", "value", "output", "ffn_key", "ffn_value"),
}


def rounding_engine(checkpoint: Checkpoint) -> NumpyEngineBase[Any]:
    """Return a numpy engine over `checkpoint` in int8 that rounds as the native engine does."""
    opened = open_numpy_engine(replace(checkpoint, weights=checkpoint.packed("int8")))
    engine: Any = opened
    engine._layers = [rounding(layer, *MATRICES[type(checkpoint.spec)]) for layer in engine._layers]
    if isinstance(checkpoint.spec, Rwkv6Spec | ExpertsSpec):
        engine._layers = [
            replace(layer, ffn=rounding(layer.ffn, "key", "receptance", "value")) for layer in engine._layers
        ]
    if isinstance(checkpoint.spec, Rwkv7Spec):
        engine._layers = [
            replace(layer, **{name: low_rank(getattr(layer, name)) for name in ("decay", "rate", "share", "gate")})
            for layer in engine._layers
        ]
    engine._head = engine._head.view(Rounding)
    return engine


def rounding(arrays: Any, *names: str) -> Any:
    """Return a dataclass of arrays whose named matrices round their inputs."""
    return replace(arrays, **{name: getattr(arrays, name).view(Rounding) for name in names})


def low_rank(vector: Any) -> Any:
    """Return a low-rank vector of RWKV-7 with rounding matrices, or None if the layer has none."""
    return vector and rounding(vector, "down", "up")
