"""The numpy engines of simple RNN, GRU and LSTM. The memory of a state is (L, vectors, C)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from radio.model.engines.base import State
from radio.model.engines.numpy_base import Arrays, NumpyEngineBase
from radio.model.engines.vectors import Array, Norm, layer_norm, sigmoid
from radio.model.spec.baselines import GruSpec, LstmSpec, RnnSpec
from radio.model.spec.rwkv import SpecT
from radio.model.weights.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class _Layer:
    ln: Norm
    input: Array  # (gates · C, C)
    recurrent: Array
    input_bias: Array
    recurrent_bias: Array


class RecurrentEngine(NumpyEngineBase[SpecT]):
    """A stack of recurrent cells. Subclasses implement `cell`."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self._layers = []
        for number in range(self.spec.layers):
            block = Arrays(checkpoint, f"blocks.{number}.")
            names = ("input.weight", "recurrent.weight", "input.bias", "recurrent.bias")
            self._layers.append(_Layer(block.norm("ln"), *(block[name] for name in names)))

    def _advance(self, x: Array, state: State) -> tuple[Array, State]:
        after = np.empty_like(state.memory)
        for layer, before, new in zip(self._layers, state.memory, after, strict=True):
            from_input = layer.input @ layer_norm(x, layer.ln) + layer.input_bias
            from_hidden = layer.recurrent @ before[0] + layer.recurrent_bias
            new[:] = self.cell(from_input, from_hidden, before)
            x = x + new[0]
        return x, State(after)

    @staticmethod
    @abstractmethod
    def cell(from_input: Array, from_hidden: Array, before: Array, /) -> Array:
        """Return the new vectors (vectors, C) of a cell.

        Args:
            from_input, from_hidden: products of the input and of the hidden vector with the gate matrices (gates · C).
            before: the vectors before this step (vectors, C).
        """


class RnnEngine(RecurrentEngine[RnnSpec]):
    """An RNN with h' = tanh(W x + U h)."""

    spec_type = RnnSpec

    @staticmethod
    def cell(from_input: Array, from_hidden: Array, _before: Array, /) -> Array:
        after: Array = np.tanh(from_input + from_hidden)
        return after


class GruEngine(RecurrentEngine[GruSpec]):
    """A GRU with gates in the order reset, update, new."""

    spec_type = GruSpec

    @staticmethod
    def cell(from_input: Array, from_hidden: Array, before: Array, /) -> Array:
        gates = 2 * before.shape[1]
        reset, update = sigmoid(from_input[:gates] + from_hidden[:gates]).reshape(2, -1)
        new = np.tanh(from_input[gates:] + reset * from_hidden[gates:])
        after: Array = new + update * (before[0] - new)
        return after


class LstmEngine(RecurrentEngine[LstmSpec]):
    """An LSTM with gates in the order input, forget, cell, output; its vectors are the hidden vector and the cell."""

    spec_type = LstmSpec

    @staticmethod
    def cell(from_input: Array, from_hidden: Array, before: Array, /) -> Array:
        gates = (from_input + from_hidden).reshape(4, -1)
        write, forget, _, read = sigmoid(gates)
        cell = forget * before[1] + write * np.tanh(gates[2])
        return np.stack([read * np.tanh(cell), cell])
