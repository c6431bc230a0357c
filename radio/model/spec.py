"""The shape of an RWKV-6 model: what training builds and a checkpoint's header says."""

from __future__ import annotations

from dataclasses import dataclass

from radio.errors import ModelError

HEAD_SIZE = 64


@dataclass(frozen=True, slots=True)
class Spec:
    """Sizes of a model; checked when built.

    layers: blocks. width: channels, a multiple of 64. vocabulary: tokens the model knows (rows of its embedding).
    mix_rank, decay_rank: ranks of the data-dependent token shift and decay. dropout: in training only, 0–1.
    """

    layers: int
    width: int
    vocabulary: int
    mix_rank: int = 32
    decay_rank: int = 64
    dropout: float = 0.0

    def __post_init__(self) -> None:
        sizes = (self.layers, self.width, self.vocabulary, self.mix_rank, self.decay_rank)
        if any(type(size) is not int for size in sizes):
            raise ModelError(f"{self}: sizes must be whole numbers")
        if min(sizes) < 1 or self.width % HEAD_SIZE or not 0 <= self.dropout < 1:
            raise ModelError(f"{self}: sizes must be positive, width a multiple of {HEAD_SIZE}, dropout in [0, 1)")

    @property
    def heads(self) -> int:
        return self.width // HEAD_SIZE

    @property
    def hidden(self) -> int:
        """Width of the channel mix: 3.5 × width, down to a multiple of 32."""
        return int(self.width * 3.5) // 32 * 32
