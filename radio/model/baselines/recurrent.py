"""Simple RNN, GRU and LSTM, stepped in numpy. A state's memory is (L, vectors, C)."""

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
    """A stack of cells; `cell` is the architecture."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self._layers = []
        for number in range(self.spec.layers):
            block = Arrays(checkpoint, f"blocks.{number}.")
            names = ("input.weight", "recurrent.weight", "input.bias", "recurrent.bias")
            self._layers.append(_Layer(block.norm("ln"), *(block[name] for name in names)))

    def _advance(self, x: Array, state: State) -> tuple[Array, State]:
        after = np.empty_like(state.memory)
        for layer, before, kept in zip(self._layers, state.memory, after, strict=True):
            given = layer.input @ layer_norm(x, layer.ln) + layer.input_bias
            recalled = layer.recurrent @ before[0] + layer.recurrent_bias
            kept[:] = self.cell(given, recalled, before)
            x = x + kept[0]
        return x, State(after)

    @staticmethod
    @abstractmethod
    def cell(given: Array, recalled: Array, before: Array, /) -> Array:
        """Input's and hidden vector's share of each gate (gates · C), vectors before (vectors, C) → those after."""


class RnnEngine(RecurrentEngine[RnnSpec]):
    """h' = tanh(W x + U h)."""

    wanted = RnnSpec

    @staticmethod
    def cell(given: Array, recalled: Array, _before: Array, /) -> Array:
        after: Array = np.tanh(given + recalled)
        return after


class GruEngine(RecurrentEngine[GruSpec]):
    """Gates in the order reset, update, new."""

    wanted = GruSpec

    @staticmethod
    def cell(given: Array, recalled: Array, before: Array, /) -> Array:
        gates = 2 * before.shape[1]
        reset, update = sigmoid(given[:gates] + recalled[:gates]).reshape(2, -1)
        new = np.tanh(given[gates:] + reset * recalled[gates:])
        after: Array = new + update * (before[0] - new)
        return after


class LstmEngine(RecurrentEngine[LstmSpec]):
    """Gates in the order input, forget, cell, output; remembered are hidden vector and cell."""

    wanted = LstmSpec

    @staticmethod
    def cell(given: Array, recalled: Array, before: Array, /) -> Array:
        gates = (given + recalled).reshape(4, -1)
        write, forget, _, read = sigmoid(gates)
        cell = forget * before[1] + write * np.tanh(gates[2])
        return np.stack([read * np.tanh(cell), cell])
