"""Sizes of RWKV-6 whose channel mix is divided among experts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from radio.errors import ModelError
from radio.model.spec.rwkv import Rwkv6Base, Shapes


@dataclass(frozen=True, slots=True)
class ExpertsSpec(Rwkv6Base):
    """RWKV-6 with a router in each channel mix, which chooses the experts that compute a token.

    experts: number of experts per channel mix.
    active: number of experts that compute a token. Together they are as wide as the channel mix of RWKV-6, so that a
        token costs the same.

    Source: Fedus et al., "Switch Transformers", arXiv 2101.03961, section 2.
    """

    architecture: ClassVar[str] = "rwkv6-experts"
    title: ClassVar[str] = "RWKV-6 with experts"

    experts: int = 4
    active: int = 1

    def __post_init__(self) -> None:
        Rwkv6Base.__post_init__(self)
        if self.active > self.experts:
            raise ModelError(f"{self}: there are {self.experts} experts, too few for {self.active} active ones")
        if not self.hidden:
            raise ModelError(f"{self}: too many active experts for this width; each needs 32 channels")

    @property
    def hidden(self) -> int:
        """Width of an expert, rounded down to a multiple of 32."""
        return int(self.width * 3.5 / self.active) // 32 * 32

    @property
    def active_parameters(self) -> int:
        return self.parameters - self.layers * (self.experts - self.active) * 2 * self.hidden * self.width

    def channel_mix(self) -> Shapes:
        """Return the shapes of the arrays of a channel mix; the router stays float32 in all weight formats."""
        return Rwkv6Base.channel_mix(self) | {
            "key.weight": (self.experts, self.hidden, self.width),
            "value.weight": (self.experts, self.width, self.hidden),
            "router": (self.experts, self.width),
        }
