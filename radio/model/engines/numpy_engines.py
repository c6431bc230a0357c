"""The numpy engine of each architecture, the reference for the other engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from radio.model.engines.base import Engine
    from radio.model.weights.checkpoint import Checkpoint

_ENGINES: Final[Mapping[str, tuple[str, str]]] = {
    "rwkv6": ("radio.model.engines.numpy_rwkv6", "NumpyRwkv6Engine"),
    "rwkv7": ("radio.model.engines.numpy_rwkv7", "NumpyRwkv7Engine"),
    "rwkv6-experts": ("radio.model.engines.numpy_experts", "NumpyExpertsEngine"),
    "rnn": ("radio.model.baselines.recurrent", "RnnEngine"),
    "gru": ("radio.model.baselines.recurrent", "GruEngine"),
    "lstm": ("radio.model.baselines.recurrent", "LstmEngine"),
    "cnn": ("radio.model.baselines.cnn", "CnnEngine"),
    "transformer": ("radio.model.baselines.transformer", "TransformerEngine"),
}
"""Module and class by architecture. Modules are imported on demand, since a station needs only one of them."""


def open_numpy_engine(checkpoint: Checkpoint) -> Engine:
    """Return the numpy engine for a checkpoint of any architecture."""
    module, name = _ENGINES[checkpoint.spec.architecture]
    engine = cast("Callable[[Checkpoint], Engine]", getattr(import_module(module), name))
    return engine(checkpoint)
