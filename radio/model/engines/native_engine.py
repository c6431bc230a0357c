"""The native engine: the step in C (`kernels/cpu`), on weights that stay in the mapped file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError, did_you_mean
from radio.model.engines.base import Array, State, zero_state
from radio.model.spec.experts import ExpertsSpec
from radio.model.spec.rwkv import Rwkv6Spec, Rwkv7Spec, Spec
from radio.model.weights.checkpoint import Checkpoint
from radio.model.weights.packing import WeightFormat, packed_shapes

NativeSpec: TypeAlias = Rwkv6Spec | Rwkv7Spec | ExpertsSpec
"""The architectures that are implemented in C."""

_INTERFACE = 3
"""Version of the extension that this module requires."""


@cache
def _compiled() -> ModuleType | ImportError:
    """Return the compiled `kernels/cpu/module.c`, or the reason that it cannot be used."""
    try:
        module = import_module("radio.model._native")
    except ImportError as error:
        return error
    if getattr(module, "interface", 1) != _INTERFACE:  # an editable install with newer sources
        return ImportError("it was compiled from other sources; reinstall the radio")
    return module


@cache
def paths() -> tuple[str, ...]:
    """Return the code paths that this processor supports, fastest first; none if the extension is missing."""
    module = _compiled()
    return tuple(module.paths()) if isinstance(module, ModuleType) else ()


def supports(spec: Spec) -> bool:
    """Return True if this engine can step a model of `spec` on this machine."""
    return isinstance(spec, NativeSpec) and bool(paths())


def sizes(spec: NativeSpec) -> tuple[int, ...]:
    """Return the sizes for the extension: layers, width, hidden width, vocabulary, and the architecture's own."""
    own: tuple[int, ...]
    if isinstance(spec, Rwkv7Spec):
        own = (spec.decay_rank, spec.rate_rank, spec.value_rank, spec.gate_rank)
    elif isinstance(spec, ExpertsSpec):
        own = (spec.mix_rank, spec.decay_rank, spec.experts, spec.active)
    else:
        own = (spec.mix_rank, spec.decay_rank)
    return spec.layers, spec.width, spec.hidden, spec.vocabulary, *own


def missing_reason() -> str:
    """Return the reason that the native engine is missing, or an empty string if it is available."""
    module = _compiled()
    return str(module) if isinstance(module, ImportError) else ""


def read_memory(memory: npt.NDArray[np.generic]) -> None:
    """Read all of `memory` as fast as one core can, which is the limit for every engine. For benchmarks."""
    import_module("radio.model._native").read(memory, paths()[0])


class NativeEngine:
    """An engine for RWKV-6, with or without experts, and RWKV-7 in C.

    Args:
        path: one of `paths()`; None selects the fastest.
        weight_format: format of the weights; None keeps the checkpoint's own format and uses its weights in place.

    Raises:
        ModelError: The extension is missing, the processor does not support the path, or the architecture is not
            implemented in C.
    """

    def __init__(
        self, checkpoint: Checkpoint, *, path: str | None = None, weight_format: WeightFormat | None = None
    ) -> None:
        if not paths():
            raise ModelError(f"the native engine was not compiled when the radio was installed ({missing_reason()})")
        self.path = path or paths()[0]
        if self.path not in paths():
            hint = did_you_mean(self.path, paths())
            raise ModelError(f"this processor does not support the path '{path}'.{hint} Use {', '.join(paths())}")
        self.tokens = checkpoint.tokens
        if not isinstance(checkpoint.spec, NativeSpec):
            raise ModelError(f"the engine 'native' does not support {checkpoint.spec.title}; use 'auto'")
        self.spec = spec = checkpoint.spec
        weights = checkpoint.packed(weight_format)
        self.weight_format = weights.weight_format
        tensors = [weights.tensors[name] for name in packed_shapes(spec, weights.weight_format)]
        try:
            self._model: Any = import_module("radio.model._native").Model(
                spec.architecture, sizes(spec), weights.weight_format, tensors, self.path
            )
        except ValueError as error:
            raise ModelError(f"the weights do not fit the model's sizes: {error}") from error
        self._shape = spec.state_shape

    def zero_state(self) -> State:
        return zero_state(self.spec)

    def step(self, rows: Sequence[int], state: State) -> tuple[Array, State]:
        try:
            logits, after = self._model.step(rows, state.memory)
        except ValueError as error:
            raise ModelError(str(error)) from error
        return np.frombuffer(logits, np.float32, self.spec.vocabulary), self._state(after)

    def step_batch(self, rows: Sequence[int], states: Sequence[State]) -> tuple[Array, list[State]]:
        try:
            logits, after = self._model.step_batch(rows, [state.memory for state in states])
        except ValueError as error:
            raise ModelError(str(error)) from error
        table = np.frombuffer(logits, np.float32).reshape(len(states), -1)
        return table[:, : self.spec.vocabulary], [self._state(memory) for memory in after]

    def _state(self, memory: object) -> State:
        return State(np.frombuffer(memory, np.float32).reshape(self._shape))  # type: ignore[call-overload]  # a buffer
