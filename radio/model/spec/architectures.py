"""The architectures of checkpoints, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from radio.model.spec.baselines import CnnSpec, GruSpec, LstmSpec, RnnSpec, TransformerSpec
from radio.model.spec.experts import ExpertsSpec
from radio.model.spec.rwkv import Rwkv6Spec, Rwkv7Spec, Spec

_SPECS: Final[tuple[type[Spec], ...]] = (
    Rwkv6Spec,
    Rwkv7Spec,
    ExpertsSpec,
    RnnSpec,
    GruSpec,
    LstmSpec,
    CnnSpec,
    TransformerSpec,
)
ARCHITECTURES: Final[Mapping[str, type[Spec]]] = MappingProxyType({spec.architecture: spec for spec in _SPECS})
