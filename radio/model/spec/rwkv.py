"""Sizes of a model, as used by training and stored in the header of a checkpoint: one class per architecture."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias, TypeVar

from radio.errors import ModelError

HEAD_SIZE = 64
EMBEDDING = "emb.weight"

Shapes: TypeAlias = dict[str, tuple[int, ...]]
SpecT = TypeVar("SpecT", bound="Spec")


@dataclass(frozen=True, slots=True)
class Spec(ABC):
    """Sizes that all architectures have, validated on creation.

    layers: number of blocks.
    width: number of channels.
    vocabulary: number of tokens, the rows of the embedding.
    dropout: 0–1, in training only.

    Raises:
        ModelError: A size is invalid.
    """

    architecture: ClassVar[str]
    """Name in recipes and in the format of a checkpoint."""
    title: ClassVar[str]
    """Name in model cards and messages."""
    transposed: ClassVar[tuple[str, ...]] = ()
    """Suffixes of the names of matrices that multiply from the right, which are stored transposed."""

    layers: int
    width: int
    vocabulary: int
    dropout: float = 0.0

    def __post_init__(self) -> None:
        sizes = [getattr(self, field.name) for field in fields(self) if field.name != "dropout"]
        if any(type(size) is not int for size in sizes):
            raise ModelError(f"{self}: sizes must be integers")
        if min(sizes) < 1 or not 0 <= self.dropout < 1:
            raise ModelError(f"{self}: sizes must be at least 1, dropout at least 0 and below 1")

    @property
    @abstractmethod
    def state_shape(self) -> tuple[int, ...]:
        """The shape of `State.memory` before the first token."""

    def is_state(self, shape: tuple[int, ...]) -> bool:
        """Return True if `State.memory` can have this shape."""
        return shape == self.state_shape

    @abstractmethod
    def shapes(self) -> Shapes:
        """Return the shape of each array by name, including `EMBEDDING`, in the order in which a step reads them."""

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(math.prod(shape) for shape in self.shapes().values())

    @property
    def active_parameters(self) -> int:
        """The number of weights that one token can use."""
        return self.parameters

    def is_transposed(self, name: str) -> bool:
        return bool(self.transposed) and name.endswith(self.transposed)

    def is_matrix(self, name: str) -> bool:
        """Return True if an array is stored in the weight format. Norms, biases, decays and similar stay float32."""
        return name == EMBEDDING or self.is_transposed(name) or (name.endswith(".weight") and ".ln" not in f".{name}")


@dataclass(frozen=True, slots=True)
class Rwkv6Base(Spec):
    """Sizes of RWKV-6 with any channel mix. The width is a multiple of 64.

    mix_rank, decay_rank: ranks of the data-dependent token shift and decay.
    """

    transposed: ClassVar[tuple[str, ...]] = ("maa_w1", "maa_w2", "decay_w1", "decay_w2")

    mix_rank: int = 32
    decay_rank: int = 64

    def __post_init__(self) -> None:
        Spec.__post_init__(self)
        check_heads(self)

    @property
    def heads(self) -> int:
        return self.width // HEAD_SIZE

    @property
    def hidden(self) -> int:
        """Width of the channel mix: 3.5 × width, rounded down to a multiple of 32."""
        return int(self.width * 3.5) // 32 * 32

    @property
    def state_shape(self) -> tuple[int, ...]:
        return rwkv_state_shape(self)

    def shapes(self) -> Shapes:
        """Return names and shapes as in the checkpoints of the RWKV authors."""
        width, rows = self.width, self.vocabulary
        shapes: Shapes = {EMBEDDING: (rows, width)} | norm("blocks.0.ln0", width)
        for layer in range(self.layers):
            att, ffn = f"blocks.{layer}.att.", f"blocks.{layer}.ffn."
            shapes |= norm(f"blocks.{layer}.ln1", width)
            shapes |= {f"{att}time_maa_x": (1, 1, width), f"{att}time_maa_w1": (width, 5 * self.mix_rank)}
            shapes |= {f"{att}time_maa_{kind}": (1, 1, width) for kind in "wkvrg"}
            shapes |= {
                f"{att}time_maa_w2": (5, self.mix_rank, width),
                f"{att}time_decay": (1, 1, width),
                f"{att}time_decay_w1": (width, self.decay_rank),
                f"{att}time_decay_w2": (self.decay_rank, width),
                f"{att}time_faaaa": (self.heads, HEAD_SIZE),
            }
            shapes |= {f"{att}{matrix}.weight": (width, width) for matrix in ("key", "value", "receptance", "gate")}
            shapes |= norm(f"{att}ln_x", width)
            shapes |= {f"{att}output.weight": (width, width)}
            shapes |= norm(f"blocks.{layer}.ln2", width)
            shapes |= {f"{ffn}{name}": shape for name, shape in self.channel_mix().items()}
        return shapes | norm("ln_out", width) | {"head.weight": (rows, width)}

    def channel_mix(self) -> Shapes:
        """Return the shapes of the arrays of a channel mix, by name within it."""
        width, hidden = self.width, self.hidden
        return {
            "time_maa_k": (1, 1, width),
            "time_maa_r": (1, 1, width),
            "key.weight": (hidden, width),
            "receptance.weight": (width, width),
            "value.weight": (width, hidden),
        }


@dataclass(frozen=True, slots=True)
class Rwkv6Spec(Rwkv6Base):
    """Sizes of RWKV-6."""

    architecture: ClassVar[str] = "rwkv6"
    title: ClassVar[str] = "RWKV-6 (x060)"


@dataclass(frozen=True, slots=True)
class Rwkv7Spec(Spec):
    """Sizes of RWKV-7. The width is a multiple of 64.

    decay_rank, rate_rank, value_rank, gate_rank: ranks of the data-dependent decay, in-context learning rate, share of
    the values of the first layer, and gate; 0 selects the value that the authors recommend for the width.
    """

    architecture: ClassVar[str] = "rwkv7"
    title: ClassVar[str] = "RWKV-7 (x070)"
    transposed: ClassVar[tuple[str, ...]] = tuple(f"att.{kind}{number}" for kind in "wavg" for number in "12")

    decay_rank: int = 0
    rate_rank: int = 0
    value_rank: int = 0
    gate_rank: int = 0

    def __post_init__(self) -> None:
        for name, factor in (("decay_rank", 2.5), ("rate_rank", 2.5), ("value_rank", 1.7), ("gate_rank", 5.0)):
            if getattr(self, name) == 0 and type(self.width) is int and self.width > 0:
                object.__setattr__(self, name, max(32, round(factor * self.width**0.5 / 32) * 32))
        Spec.__post_init__(self)
        check_heads(self)

    @property
    def heads(self) -> int:
        return self.width // HEAD_SIZE

    @property
    def hidden(self) -> int:
        """Width of the channel mix."""
        return 4 * self.width

    @property
    def state_shape(self) -> tuple[int, ...]:
        return rwkv_state_shape(self)

    def shapes(self) -> Shapes:
        """Return names and shapes as in the checkpoints of the RWKV authors; the first layer has no value share."""
        width, hidden, rows = self.width, self.hidden, self.vocabulary
        ranks = {"w": self.decay_rank, "a": self.rate_rank, "v": self.value_rank, "g": self.gate_rank}
        shapes: Shapes = {EMBEDDING: (rows, width)} | norm("blocks.0.ln0", width)
        for layer in range(self.layers):
            att, ffn = f"blocks.{layer}.att.", f"blocks.{layer}.ffn."
            shapes |= norm(f"blocks.{layer}.ln1", width)
            shapes |= {f"{att}x_{kind}": (1, 1, width) for kind in "rwkvag"}
            shapes |= {f"{att}{matrix}.weight": (width, width) for matrix in ("receptance", "key", "value")}
            for kind, rank in ranks.items():
                if kind == "v" and layer == 0:
                    continue
                shapes |= {} if kind == "g" else {f"{att}{kind}0": (1, 1, width)}
                shapes |= {f"{att}{kind}1": (width, rank), f"{att}{kind}2": (rank, width)}
            shapes |= {f"{att}{kind}": (1, 1, width) for kind in ("k_k", "k_a")}
            shapes |= {f"{att}r_k": (self.heads, HEAD_SIZE)}
            shapes |= norm(f"{att}ln_x", width)
            shapes |= {f"{att}output.weight": (width, width)}
            shapes |= norm(f"blocks.{layer}.ln2", width)
            shapes |= {
                f"{ffn}x_k": (1, 1, width),
                f"{ffn}key.weight": (hidden, width),
                f"{ffn}value.weight": (width, hidden),
            }
        return shapes | norm("ln_out", width) | {"head.weight": (rows, width)}


def norm(name: str, width: int) -> Shapes:
    """Return the shapes of the arrays of a layer norm."""
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def require_spec(spec: Spec, spec_type: type[SpecT], engine: str) -> SpecT:
    """Return `spec`. Raise ModelError if it is not of the type that `engine` supports."""
    if not isinstance(spec, spec_type):
        raise ModelError(f"the engine '{engine}' supports {spec_type.title}, not {spec.title}; use 'auto'")
    return spec


def check_heads(spec: Spec) -> None:
    """Raise ModelError if the width is not a multiple of the head size."""
    if spec.width % HEAD_SIZE:
        raise ModelError(f"{spec}: the width must be a multiple of {HEAD_SIZE}")


def rwkv_state_shape(spec: Spec) -> tuple[int, int]:
    """Return the shape of an RWKV state: per layer the last inputs of both mixes and one matrix per head.

    See `engines.base.RwkvMemory`.
    """
    return spec.layers, spec.width * (2 + HEAD_SIZE)
