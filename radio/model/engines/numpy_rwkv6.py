"""The numpy engine of RWKV-6: the reference for the other engines, and the fallback without a compiler.

Source of the recurrence: Peng et al., "Eagle and Finch", arXiv 2404.05892, sections 4.1–4.2 (RWKV-6, x060).
Shapes: C width, H heads of size N = 64, L layers, V rows of the model's vocabulary.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from radio.model.engines.base import RwkvMemory, State
from radio.model.engines.numpy_base import Arrays, NumpyEngineBase
from radio.model.engines.vectors import GROUP_NORM_EPS, Array, Norm, layer_norm, normalize, sigmoid
from radio.model.spec.rwkv import Rwkv6Base, Rwkv6Spec
from radio.model.weights.checkpoint import Checkpoint

Rwkv6SpecT = TypeVar("Rwkv6SpecT", bound=Rwkv6Base)


@dataclass(frozen=True)
class ChannelMix:
    """The channel mix of a block."""

    maa: Array  # (2, C): k, r
    key: Array
    receptance: Array
    value: Array

    def output(self, x: Array, last: Array) -> Array:
        """Return the output (C,) for an input and the one before it."""
        mixed = x + (last - x) * self.maa
        result: Array = sigmoid(self.receptance @ mixed[1]) * self.values(mixed[0])
        return result

    def values(self, x: Array) -> Array:
        """Return the output before its gate."""
        k = np.maximum(self.key @ x, 0)
        result: Array = self.value @ (k * k)
        return result


@dataclass(frozen=True)
class _Layer:
    """The arrays of one block, laid out for matrix · vector."""

    ln1: Norm
    ln2: Norm
    maa_x: Array
    maa: Array  # (5, C): w, k, v, r, g
    maa_w1: Array  # (5·M, C)
    maa_w2: Array  # (5, C, M)
    decay: Array
    decay_w1: Array  # (D, C)
    decay_w2: Array  # (C, D)
    bonus: Array  # (H, N)
    kvrg: Array  # (4, C, C)
    output: Array
    ln_x: Norm
    ffn: ChannelMix


class NumpyRwkv6Base(NumpyEngineBase[Rwkv6SpecT]):
    """An engine for RWKV-6 with any channel mix, in float32, one token at a time."""

    first_norm = "blocks.0.ln0"

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        blocks = [Arrays(checkpoint, f"blocks.{layer}.") for layer in range(self.spec.layers)]
        self._layers = [_layer(block, self.channel_mix(block)) for block in blocks]

    @abstractmethod
    def channel_mix(self, block: Arrays) -> ChannelMix:
        """Return the channel mix of a block."""

    def _advance(self, x: Array, state: State) -> tuple[Array, State]:
        after = State(np.empty_like(state.memory))
        before, now = RwkvMemory.of(state.memory), RwkvMemory.of(after.memory)
        for index, layer in enumerate(self._layers):
            normed = layer_norm(x, layer.ln1)
            now.att_shift[index] = normed
            x = x + self._time_mix(layer, normed, before.att_shift[index], before.wkv[index], now.wkv[index])
            normed = layer_norm(x, layer.ln2)
            now.ffn_shift[index] = normed
            x = x + layer.ffn.output(normed, before.ffn_shift[index])
        return x, after

    def _time_mix(self, layer: _Layer, x: Array, last: Array, wkv: Array, wkv_out: Array) -> Array:
        """Write the new WKV state to `wkv_out`."""
        heads = self.spec.heads
        delta = last - x
        mixed = np.tanh(layer.maa_w1 @ (x + delta * layer.maa_x)).reshape(5, -1, 1)
        inputs = x + delta * (layer.maa + (layer.maa_w2 @ mixed)[..., 0])  # (5, C): w, k, v, r, g
        k, v, r, g = (layer.kvrg @ inputs[1:, :, None])[..., 0]
        decay = np.exp(-np.exp(layer.decay + layer.decay_w2 @ np.tanh(layer.decay_w1 @ inputs[0])))
        r, k, v = r.reshape(heads, 1, -1), k.reshape(heads, -1, 1), v.reshape(heads, 1, -1)
        kv = k * v  # (H, N, N): key axis, then value axis
        y = (r @ (wkv + layer.bonus[..., None] * kv))[:, 0]
        np.multiply(decay.reshape(heads, -1, 1), wkv, out=wkv_out)
        wkv_out += kv
        y = normalize(y, GROUP_NORM_EPS).reshape(-1) * layer.ln_x[0] + layer.ln_x[1]
        out: Array = layer.output @ (y * g * sigmoid(g))
        return out


class NumpyRwkv6Engine(NumpyRwkv6Base[Rwkv6Spec]):
    """An engine for RWKV-6."""

    spec_type = Rwkv6Spec

    def channel_mix(self, block: Arrays) -> ChannelMix:
        return ChannelMix(*mix_arrays(block))


def mix_arrays(block: Arrays) -> tuple[Array, Array, Array, Array]:
    """Return the fields of a block's channel mix."""
    maa = _stacked(block, "ffn.time_maa_k", "ffn.time_maa_r")
    return maa, block["ffn.key.weight"], block["ffn.receptance.weight"], block["ffn.value.weight"]


def _stacked(block: Arrays, *names: str) -> Array:
    return np.stack([block[name].reshape(block[name].shape[-2:]).squeeze() for name in names])


def _layer(block: Arrays, ffn: ChannelMix) -> _Layer:
    return _Layer(
        ln1=block.norm("ln1"),
        ln2=block.norm("ln2"),
        maa_x=block["att.time_maa_x"].reshape(-1),
        maa=_stacked(block, *(f"att.time_maa_{kind}" for kind in "wkvrg")),
        maa_w1=np.ascontiguousarray(block["att.time_maa_w1"].T),
        maa_w2=np.ascontiguousarray(block["att.time_maa_w2"].transpose(0, 2, 1)),
        decay=block["att.time_decay"].reshape(-1),
        decay_w1=np.ascontiguousarray(block["att.time_decay_w1"].T),
        decay_w2=np.ascontiguousarray(block["att.time_decay_w2"].T),
        bonus=block["att.time_faaaa"],
        kvrg=_stacked(block, *(f"att.{matrix}.weight" for matrix in ("key", "value", "receptance", "gate"))),
        output=block["att.output.weight"],
        ln_x=block.norm("att.ln_x"),
        ffn=ffn,
    )
