"""The torch engine, for servers: it steps hundreds of streams in one batch and keeps their states on the device.

Source of the recurrence: Peng et al., "Eagle and Finch", arXiv 2404.05892, sections 4.1–4.2 (RWKV-6, x060).
Shapes: B streams, C width, H heads of size N = 64, L layers, V rows of the model's vocabulary, S floats of the
state of a layer, M rank of the token shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from radio.errors import ModelError
from radio.model.engines.base import Array, State, check_step, zero_state
from radio.model.spec.rwkv import HEAD_SIZE, Rwkv6Spec, require_spec
from radio.model.weights.checkpoint import Checkpoint, Weights

_GROUP_NORM_EPS = 64e-5
_LAYER_NORM_EPS = 1e-5
_WARM_UPS = 3
"""Steps before a graph is captured, in which the libraries choose kernels and allocate workspaces."""


class DeviceStates(Sequence[State]):
    """States (B, L, S) on the device.

    Passing the whole sequence to the next step copies nothing. Indexing copies a state to the CPU.
    """

    def __init__(self, memory: Tensor) -> None:
        self.memory = memory

    def __len__(self) -> int:
        return len(self.memory)

    @overload
    def __getitem__(self, index: int) -> State: ...

    @overload
    def __getitem__(self, index: slice) -> DeviceStates: ...

    def __getitem__(self, index: int | slice) -> State | DeviceStates:
        if isinstance(index, slice):
            return DeviceStates(self.memory[index])
        fetched: Array = self.memory[index].cpu().numpy().copy()
        return State(fetched)

    def __iter__(self) -> Iterator[State]:
        return map(self.__getitem__, range(len(self)))


class TorchEngine:
    """An engine for RWKV-6 in float32 that steps B streams together.

    On CUDA the first step of each batch size is captured as a graph, so that later steps are a single launch.

    Args:
        device: a torch device; None selects a GPU if there is one.

    Raises:
        ModelError: The model is not RWKV-6, or torch cannot use the device.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: str | None = None) -> None:
        self.tokens = checkpoint.tokens
        self.spec = require_spec(checkpoint.spec, Rwkv6Spec, "torch")
        try:
            self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            self._network = _network(checkpoint.weights, self.spec, self.device)
        except (RuntimeError, AssertionError) as error:  # torch raises AssertionError if built without CUDA
            raise ModelError(f"torch cannot use the device '{device}': {error}") from error
        self._graphs: dict[int, _Graph] = {}

    def zero_state(self) -> State:
        return zero_state(self.spec)

    def step(self, rows: Sequence[int], state: State) -> tuple[Array, State]:
        check_step(self.spec, rows, [state], batch=False)
        states: Sequence[State] = [state]
        logits = np.empty((1, 0), np.float32)
        for row in rows:
            logits, states = self.step_batch([row], states)
        return logits[0], states[0]

    @torch.inference_mode()
    def step_batch(self, rows: Sequence[int], states: Sequence[State]) -> tuple[Array, DeviceStates]:
        """See `Engine`. States that this method returned stay on the device if they are passed back as a whole."""
        on_device = states if isinstance(states, DeviceStates) else None
        check_step(self.spec, rows, [] if on_device else states, batch=False)
        if len(rows) != len(states):
            raise ModelError(f"a batch needs a state for each token; got {len(rows)} tokens and {len(states)} states")
        row_tensor = torch.tensor(rows, device=self.device)
        memory = on_device.memory if on_device else torch.from_numpy(np.stack([state.memory for state in states]))
        memory = memory.to(self.device)
        if self.device.type == "cuda":
            if len(rows) not in self._graphs:
                self._graphs[len(rows)] = _Graph(self._network, row_tensor, memory)
            logits, after = self._graphs[len(rows)].replay(row_tensor, memory)
        else:
            logits, after = self._network.step(row_tensor, memory)
        table: Array = logits.cpu().numpy()
        return table, DeviceStates(after)


class _Graph:
    """A captured step of one batch size with fixed input and output tensors."""

    def __init__(self, network: _Network, rows: Tensor, memory: Tensor) -> None:
        self._rows, self._memory = rows.clone(), memory.clone()
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                network.step(self._rows, self._memory)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._logits, self._after = network.step(self._rows, self._memory)

    def replay(self, rows: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        self._rows.copy_(rows)
        self._memory.copy_(memory)
        self._graph.replay()
        return self._logits.clone(), self._after.clone()


@dataclass(frozen=True)
class _Layer:
    """The tensors of one block, laid out for batch · matrix."""

    ln1: tuple[Tensor, Tensor]
    ln2: tuple[Tensor, Tensor]
    maa_x: Tensor
    maa: Tensor  # (5, 1, C): w, k, v, r, g
    maa_w1: Tensor  # (C, 5·M)
    maa_w2: Tensor  # (5, M, C)
    decay: Tensor
    decay_w1: Tensor
    decay_w2: Tensor
    bonus: Tensor  # (H, N, 1)
    kvrg: Tensor  # (4, C, C), transposed
    output: Tensor
    ln_x: tuple[Tensor, Tensor]
    ffn_maa: Tensor  # (2, 1, C): k, r
    ffn_key: Tensor
    ffn_receptance: Tensor
    ffn_value: Tensor


@dataclass(frozen=True)
class _Network:
    spec: Rwkv6Spec
    embedding: Tensor
    layers: Sequence[_Layer]
    ln_out: tuple[Tensor, Tensor]
    head: Tensor

    def step(self, rows: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Step rows (B,) and states (B, L, S). Return logits (B, V) and new states."""
        width = self.spec.width
        x = self.embedding[rows]
        after = torch.empty_like(memory)
        for index, layer in enumerate(self.layers):
            before, new = memory[:, index], after[:, index]
            normed = _layer_norm(x, layer.ln1)
            new[:, :width] = normed
            wkv = before[:, 2 * width :].view(len(rows), -1, HEAD_SIZE, HEAD_SIZE)
            mixed, wkv = self._time_mix(layer, normed, before[:, :width], wkv)
            new[:, 2 * width :] = wkv.flatten(1)
            x = x + mixed
            normed = _layer_norm(x, layer.ln2)
            new[:, width : 2 * width] = normed
            x = x + _channel_mix(layer, normed, before[:, width : 2 * width])
        return functional.linear(_layer_norm(x, self.ln_out), self.head), after

    def _time_mix(self, layer: _Layer, x: Tensor, last: Tensor, wkv: Tensor) -> tuple[Tensor, Tensor]:
        heads = self.spec.heads
        delta = last - x
        mixed = torch.tanh((x + delta * layer.maa_x) @ layer.maa_w1).view(len(x), 5, -1).transpose(0, 1)
        inputs = x + delta * (layer.maa + torch.bmm(mixed, layer.maa_w2))  # (5, B, C): w, k, v, r, g
        k, v, r, g = torch.bmm(inputs[1:], layer.kvrg)
        decay = torch.exp(-torch.exp(layer.decay + torch.tanh(inputs[0] @ layer.decay_w1) @ layer.decay_w2))
        r, k, v = r.view(-1, heads, 1, HEAD_SIZE), k.view(-1, heads, HEAD_SIZE, 1), v.view(-1, heads, 1, HEAD_SIZE)
        kv = k * v  # (B, H, N, N): key axis, then value axis
        y = (r @ (wkv + layer.bonus * kv)).flatten(1)
        y = functional.group_norm(y, heads, *layer.ln_x, _GROUP_NORM_EPS)
        after = decay.view(-1, heads, HEAD_SIZE, 1) * wkv + kv
        return functional.linear(y * functional.silu(g), layer.output), after


def _channel_mix(layer: _Layer, x: Tensor, last: Tensor) -> Tensor:
    k, r = x + (last - x) * layer.ffn_maa
    k = torch.relu(functional.linear(k, layer.ffn_key)).square()
    return torch.sigmoid(functional.linear(r, layer.ffn_receptance)) * functional.linear(k, layer.ffn_value)


def _layer_norm(x: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], *norm, _LAYER_NORM_EPS)


def _network(weights: Weights, spec: Rwkv6Spec, device: torch.device) -> _Network:
    def on_device(name: str) -> Tensor:
        return torch.from_numpy(np.array(weights[name], np.float32)).to(device)

    def norm(name: str) -> tuple[Tensor, Tensor]:
        return on_device(f"{name}.weight"), on_device(f"{name}.bias")

    def layer(number: int) -> _Layer:
        att, ffn = f"blocks.{number}.att.", f"blocks.{number}.ffn."
        return _Layer(
            ln1=norm(f"blocks.{number}.ln1"),
            ln2=norm(f"blocks.{number}.ln2"),
            maa_x=on_device(f"{att}time_maa_x").flatten(),
            maa=torch.stack([on_device(f"{att}time_maa_{kind}").flatten() for kind in "wkvrg"])[:, None],
            maa_w1=on_device(f"{att}time_maa_w1"),
            maa_w2=on_device(f"{att}time_maa_w2"),
            decay=on_device(f"{att}time_decay").flatten(),
            decay_w1=on_device(f"{att}time_decay_w1"),
            decay_w2=on_device(f"{att}time_decay_w2"),
            bonus=on_device(f"{att}time_faaaa")[..., None],
            kvrg=torch.stack([on_device(f"{att}{name}.weight").T for name in ("key", "value", "receptance", "gate")]),
            output=on_device(f"{att}output.weight"),
            ln_x=norm(f"{att}ln_x"),
            ffn_maa=torch.stack([on_device(f"{ffn}time_maa_{kind}").flatten() for kind in "kr"])[:, None],
            ffn_key=on_device(f"{ffn}key.weight"),
            ffn_receptance=on_device(f"{ffn}receptance.weight"),
            ffn_value=on_device(f"{ffn}value.weight"),
        )

    return _Network(
        spec,
        _layer_norm(on_device("emb.weight"), norm("blocks.0.ln0")),  # the input of ln0 is always an embedding row
        [layer(number) for number in range(spec.layers)],
        norm("ln_out"),
        on_device("head.weight"),
    )
