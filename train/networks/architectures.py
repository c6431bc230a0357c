"""The networks of all architectures, by the names in recipes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from radio.model.spec.architectures import ARCHITECTURES
from radio.model.spec.baselines import TransformerSpec
from radio.model.spec.experts import ExpertsSpec
from radio.model.spec.rwkv import Spec
from train.networks.base import Model
from train.networks.baselines.cnn import Cnn
from train.networks.baselines.recurrent import Gru, Lstm, Rnn
from train.networks.baselines.transformer import Transformer
from train.networks.experts import Rwkv6Experts
from train.networks.rwkv6 import Rwkv6
from train.networks.rwkv7 import Rwkv7

MODELS: Final[Mapping[str, Callable[[Any], Model]]] = MappingProxyType(
    {
        "rwkv6": Rwkv6,
        "rwkv7": Rwkv7,
        "rwkv6-experts": Rwkv6Experts,
        "rnn": Rnn,
        "gru": Gru,
        "lstm": Lstm,
        "cnn": Cnn,
        "transformer": Transformer,
    }
)


def size_spec(
    architecture: str,
    *,
    layers: int,
    width: int,
    vocabulary: int,
    dropout: float,
    head_size: int = 0,
    context: int = 0,
    experts: int = 0,
    active: int = 0,
) -> Spec:
    """Return a spec of `architecture`; sizes of 0 have their default values. Raises ModelError for invalid sizes."""
    spec = ARCHITECTURES[architecture](layers, width, vocabulary, dropout)
    if isinstance(spec, TransformerSpec):
        return replace(spec, head_size=head_size or spec.head_size, context=context or spec.context)
    if isinstance(spec, ExpertsSpec):
        return replace(spec, experts=experts or spec.experts, active=active or spec.active)
    return spec


def build(spec: Spec) -> Model:
    """Return a new model of `spec`, initialized by torch's global random generator."""
    return MODELS[spec.architecture](spec)
