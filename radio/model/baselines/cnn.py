"""The numpy engine of the 1-D CNN.

The memory of a state is (Σ distances, C): the last inputs of each block, oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radio.model.engines.base import State
from radio.model.engines.numpy_base import Arrays, NumpyEngineBase
from radio.model.engines.vectors import Array, Norm, layer_norm, sigmoid
from radio.model.spec.baselines import CnnSpec
from radio.model.weights.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class _Layer:
    """The arrays of one block.

    oldest, newest: rows of the state with the oldest and the newest stored input of the block.
    """

    ln: Norm
    taps: Array  # (2C, 2C)
    bias: Array
    output: Array
    oldest: int
    newest: int


class CnnEngine(NumpyEngineBase[CnnSpec]):
    """An engine for blocks of two taps."""

    spec_type = CnnSpec

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self._layers = []
        row = 0
        for number, distance in enumerate(self.spec.distances):
            block = Arrays(checkpoint, f"blocks.{number}.")
            arrays = block["taps.weight"], block["taps.bias"], block["output.weight"]
            self._layers.append(_Layer(block.norm("ln"), *arrays, row, row + distance - 1))
            row += distance

    def _advance(self, x: Array, state: State) -> tuple[Array, State]:
        after = np.empty_like(state.memory)
        after[:-1] = state.memory[1:]  # shift all blocks together; the newest row of each is set below
        for layer in self._layers:
            normed = layer_norm(x, layer.ln)
            inputs = np.concatenate([state.memory[layer.oldest], normed])
            value, gate = (layer.taps @ inputs + layer.bias).reshape(2, -1)
            x = x + layer.output @ (value * sigmoid(gate))
            after[layer.newest] = normed
        return x, State(after)
