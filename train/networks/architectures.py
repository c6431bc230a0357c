"""The architectures that a recipe can name, in the form in which they are trained."""

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


def sized(architecture: str, *, layers: int, width: int, vocabulary: int, dropout: float) -> Spec:
    """A spec of `architecture` with its own further sizes at their defaults. Raises ModelError for impossible sizes."""
    return ARCHITECTURES[architecture](layers, width, vocabulary, dropout)


def build(spec: Spec) -> Model:
    """A model of `spec` with fresh weights, from torch's global generator."""
    return MODELS[spec.architecture](spec)
