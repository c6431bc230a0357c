"""The networks of all architectures, by the names in recipes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from radio.model.spec.architectures import ARCHITECTURES
from radio.model.spec.rwkv import Spec
from train.networks.base import Model
from train.networks.baselines.cnn import Cnn
from train.networks.baselines.recurrent import Gru, Lstm, Rnn
from train.networks.baselines.transformer import Transformer
from train.networks.rwkv6 import Rwkv6
from train.networks.rwkv7 import Rwkv7

MODELS: Final[Mapping[str, Callable[[Any], Model]]] = MappingProxyType(
    {
        "rwkv6": Rwkv6,
        "rwkv7": Rwkv7,
        "rnn": Rnn,
        "gru": Gru,
        "lstm": Lstm,
        "cnn": Cnn,
        "transformer": Transformer,
    }
)


def size_spec(architecture: str, *, layers: int, width: int, vocabulary: int, dropout: float) -> Spec:
    """Return a spec of `architecture` with default values for all other sizes. Raises ModelError for invalid sizes."""
    return ARCHITECTURES[architecture](layers, width, vocabulary, dropout)


def build(spec: Spec) -> Model:
    """Return a new model of `spec`, initialized by torch's global random generator."""
    return MODELS[spec.architecture](spec)
