"""The numpy engine of the Transformer.

The memory of a state is (n, 1 + 2·L·C), with a row for each of the last n tokens, at most the context: the position,
then for each layer the key, rotated to that position, and the value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radio.model.baselines.buffered_state import append_row
from radio.model.baselines.rotary import PERIOD, angles
from radio.model.engines.base import State
from radio.model.engines.numpy_base import Arrays, NumpyEngineBase
from radio.model.engines.vectors import Array, Norm, layer_norm, sigmoid
from radio.model.spec.baselines import TransformerSpec
from radio.model.weights.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class _Layer:
    ln1: Norm
    qkv: Array  # (3C, C)
    output: Array
    ln2: Norm
    gate_up: Array  # (2 · hidden, C)
    down: Array


class TransformerEngine(NumpyEngineBase[TransformerSpec]):
    """An engine that attends to the tokens in the state and to the current token."""

    spec_type = TransformerSpec

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self._layers = []
        for number in range(self.spec.layers):
            block = Arrays(checkpoint, f"blocks.{number}.")
            gate_up = np.concatenate([block["gate.weight"], block["up.weight"]])
            qkv = block["qkv.weight"].copy()
            qkv[: self.spec.width] *= np.float32(self.spec.head_size**-0.5)  # include the scale of attention
            self._layers.append(
                _Layer(block.norm("ln1"), qkv, block["output.weight"], block.norm("ln2"), gate_up, block["down.weight"])
            )

    def _advance(self, x: Array, state: State) -> tuple[Array, State]:
        position = (int(state.memory[-1, 0]) + 1) % PERIOD if len(state.memory) else 0
        radians = angles(position, self.spec.head_size)
        cos, sin = np.cos(radians).astype(np.float32), np.sin(radians).astype(np.float32)
        after, row = append_row(state, self.spec.context)
        row[0] = position
        keys_values = after.memory[:, 1:].reshape(len(after.memory), self.spec.layers, 2, self.spec.heads, -1)
        new = row[1:].reshape(self.spec.layers, 2, self.spec.heads, -1)
        for number, layer in enumerate(self._layers):
            q, k, v = (layer.qkv @ layer_norm(x, layer.ln1)).reshape(3, self.spec.heads, -1)
            new[number, 0], new[number, 1] = _rotate(k, cos, sin), v
            x = x + layer.output @ _attend(_rotate(q, cos, sin), keys_values[:, number, 0], keys_values[:, number, 1])
            gate, up = (layer.gate_up @ layer_norm(x, layer.ln2)).reshape(2, -1)
            x = x + layer.down @ (gate * sigmoid(gate) * up)
        return x, after


def _attend(q: Array, keys: Array, values: Array) -> Array:
    """Return the attention (H · N,) of a query (H, N) to keys and values (n, H, N)."""
    scores = (keys.transpose(1, 0, 2) @ q[..., None])[..., 0]  # (H, n)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    attention: Array = (weights[:, None] @ values.transpose(1, 0, 2)).reshape(-1)
    return attention


def _rotate(x: Array, cos: Array, sin: Array) -> Array:
    """Rotate pairs of channels that are N/2 apart: x (H, N), cos and sin (N/2,)."""
    first, second = np.split(x, 2, axis=1)
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=1)
