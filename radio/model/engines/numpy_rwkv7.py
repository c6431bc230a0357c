"""The numpy engine of RWKV-7: the reference for the other engines.

Source of the recurrence: Peng et al., "RWKV-7 Goose with Expressive Dynamic State Evolution", arXiv 2503.14456,
section 4 (x070). Shapes: C width, H heads of size N = 64, L layers, V rows of the model's vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radio.model.engines.base import RwkvMemory, State
from radio.model.engines.numpy_base import Arrays, NumpyEngineBase
from radio.model.engines.vectors import GROUP_NORM_EPS, Array, Norm, layer_norm, normalize, sigmoid
from radio.model.spec.rwkv import Rwkv7Spec
from radio.model.weights.checkpoint import Checkpoint

STRONGEST_DECAY = np.float32(-0.606531)
"""−e^(−1/2): log of the smallest factor by which a channel decays per token."""
_SMALLEST_LENGTH = np.float32(1e-12)


@dataclass(frozen=True)
class _LowRank:
    """The arrays of a data-dependent vector.

    base: (C,), 0 for the gate.
    down: (rank, C).
    up: (C, rank).
    """

    base: Array
    down: Array
    up: Array


@dataclass(frozen=True)
class _Layer:
    """The arrays of one block, laid out for matrix · vector."""

    ln1: Norm
    ln2: Norm
    x: Array  # (6, C): r, w, k, v, a, g
    receptance: Array
    key: Array
    value: Array
    decay: _LowRank
    rate: _LowRank
    share: _LowRank | None  # share of the first layer's values; None in that layer
    gate: _LowRank
    k_k: Array
    k_a: Array
    r_k: Array  # (H, N)
    ln_x: Norm
    output: Array
    ffn_x: Array
    ffn_key: Array
    ffn_value: Array


class NumpyRwkv7Engine(NumpyEngineBase[Rwkv7Spec]):
    """An engine for RWKV-7 in float32, one token at a time."""

    spec_type = Rwkv7Spec
    first_norm = "blocks.0.ln0"

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self._layers = [
            _layer(Arrays(checkpoint, f"blocks.{layer}."), first=layer == 0) for layer in range(self.spec.layers)
        ]

    def _advance(self, x: Array, state: State) -> tuple[Array, State]:
        after = State(np.empty_like(state.memory))
        before, now = RwkvMemory.of(state.memory), RwkvMemory.of(after.memory)
        first_v: Array | None = None
        for index, layer in enumerate(self._layers):
            normed = layer_norm(x, layer.ln1)
            now.att_shift[index] = normed
            delta = before.att_shift[index] - normed
            out, first_v = self._time_mix(layer, normed + delta * layer.x, before.wkv[index], now.wkv[index], first_v)
            x = x + out
            normed = layer_norm(x, layer.ln2)
            now.ffn_shift[index] = normed
            mixed = normed + (before.ffn_shift[index] - normed) * layer.ffn_x
            x = x + layer.ffn_value @ np.square(np.maximum(layer.ffn_key @ mixed, 0))
        return x, after

    def _time_mix(
        self, layer: _Layer, inputs: Array, wkv: Array, wkv_out: Array, first_v: Array | None
    ) -> tuple[Array, Array]:
        """Write the new WKV state to `wkv_out`. Return the output and the values of the first layer, (C,) each."""
        heads = (self.spec.heads, -1)
        xr, xw, xk, xv, xa, xg = inputs
        r, k, v = layer.receptance @ xr, layer.key @ xk, layer.value @ xv
        w, a, s, g = layer.decay, layer.rate, layer.share, layer.gate
        decay = np.exp(STRONGEST_DECAY * sigmoid(w.base + w.up @ np.tanh(w.down @ xw)))
        rate = sigmoid(a.base + a.up @ (a.down @ xa))
        gate = g.up @ sigmoid(g.down @ xg)
        if first_v is None or s is None:
            first_v = v
        else:
            v = v + (first_v - v) * sigmoid(s.base + s.up @ (s.down @ xv))

        removed = (k * layer.k_k).reshape(heads)
        removed = removed / np.maximum(np.linalg.norm(removed, axis=-1, keepdims=True), _SMALLEST_LENGTH)
        k = k + k * (rate - 1) * layer.k_a
        r, k, v = r.reshape(heads), k.reshape(heads), v.reshape(heads)
        stored = removed[:, None] @ wkv  # (H, 1, N): the value stored under the removed key
        np.multiply(decay.reshape(heads)[..., None], wkv, out=wkv_out)
        wkv_out -= (removed * rate.reshape(heads))[..., None] * stored
        wkv_out += k[..., None] * v[:, None]
        y = (r[:, None] @ wkv_out)[:, 0]
        y = normalize(y, GROUP_NORM_EPS) * layer.ln_x[0].reshape(heads) + layer.ln_x[1].reshape(heads)
        y = y + (r * k * layer.r_k).sum(axis=-1, keepdims=True) * v
        out: Array = layer.output @ (y.reshape(-1) * gate)
        return out, first_v


def _layer(block: Arrays, *, first: bool) -> _Layer:
    def low_rank(kind: str) -> _LowRank:
        down, up = (np.ascontiguousarray(block[f"att.{kind}{number}"].T) for number in "12")
        base = np.zeros(len(up), np.float32) if kind == "g" else block[f"att.{kind}0"].reshape(-1)
        return _LowRank(base, down, up)

    return _Layer(
        ln1=block.norm("ln1"),
        ln2=block.norm("ln2"),
        x=np.stack([block[f"att.x_{kind}"].reshape(-1) for kind in "rwkvag"]),
        receptance=block["att.receptance.weight"],
        key=block["att.key.weight"],
        value=block["att.value.weight"],
        decay=low_rank("w"),
        rate=low_rank("a"),
        share=None if first else low_rank("v"),
        gate=low_rank("g"),
        k_k=block["att.k_k"].reshape(-1),
        k_a=block["att.k_a"].reshape(-1),
        r_k=block["att.r_k"],
        ln_x=block.norm("att.ln_x"),
        output=block["att.output.weight"],
        ffn_x=block["ffn.x_k"].reshape(-1),
        ffn_key=block["ffn.key.weight"],
        ffn_value=block["ffn.value.weight"],
    )
