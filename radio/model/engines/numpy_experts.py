"""The numpy engine of RWKV-6 with experts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radio.model.engines.numpy_base import Arrays
from radio.model.engines.numpy_rwkv6 import ChannelMix, NumpyRwkv6Base, mix_arrays
from radio.model.engines.vectors import Array
from radio.model.spec.experts import ExpertsSpec


@dataclass(frozen=True)
class ExpertMix(ChannelMix):
    """A channel mix whose router chooses `active` of its E experts for each token."""

    router: Array  # (E, C)
    active: int

    def values(self, x: Array) -> Array:
        """Return the sum of the chosen experts' values, each weighted by its probability in the router."""
        logits = self.router @ x
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        result = np.zeros_like(x)
        for expert in np.argsort(-logits, kind="stable")[: self.active]:
            k = np.maximum(self.key[expert] @ x, 0)
            result += shares[expert] * (self.value[expert] @ (k * k))
        return result


class NumpyExpertsEngine(NumpyRwkv6Base[ExpertsSpec]):
    """An engine for RWKV-6 with experts. Only the weights of the chosen experts are read."""

    spec_type = ExpertsSpec

    def channel_mix(self, block: Arrays) -> ChannelMix:
        return ExpertMix(*mix_arrays(block), block["ffn.router"], self.spec.active)
