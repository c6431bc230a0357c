"""The shape of a model: what training builds and a checkpoint's header says. One class an architecture."""

from __future__ import annotations

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
    """Sizes that every architecture has; checked when built.

    layers: blocks. width: channels. vocabulary: tokens the model knows (rows of its embedding). dropout: in training
    only, 0–1. Raises ModelError for sizes that cannot be.
    """

    architecture: ClassVar[str]
    """Its word in recipes and in the format of a checkpoint."""
    title: ClassVar[str]
    """Its name in cards and messages."""
    transposed: ClassVar[tuple[str, ...]] = ()
    """Ends of the names of matrices that multiply from the right: their columns are the rows of what is stored."""

    layers: int
    width: int
    vocabulary: int
    dropout: float = 0.0

    def __post_init__(self) -> None:
        sizes = [getattr(self, field.name) for field in fields(self) if field.name != "dropout"]
        if any(type(size) is not int for size in sizes):
            raise ModelError(f"{self}: sizes must be whole numbers")
        if min(sizes) < 1 or not 0 <= self.dropout < 1:
            raise ModelError(f"{self}: sizes must be positive, dropout in [0, 1)")

    @property
    @abstractmethod
    def state_shape(self) -> tuple[int, ...]:
        """Of `State.memory` before the first token."""

    def is_state(self, shape: tuple[int, ...]) -> bool:
        """Whether `State.memory` can be of that shape, at any time."""
        return shape == self.state_shape

    @abstractmethod
    def shapes(self) -> Shapes:
        """Every array of a model by its name, in the order in which a step reads them; `EMBEDDING` is one of them."""

    def is_transposed(self, name: str) -> bool:
        return bool(self.transposed) and name.endswith(self.transposed)

    def is_matrix(self, name: str) -> bool:
        """Whether an array is stored in the weights' form; norms, biases, decays and the like stay float32."""
        return name == EMBEDDING or self.is_transposed(name) or (name.endswith(".weight") and ".ln" not in f".{name}")


@dataclass(frozen=True, slots=True)
class Rwkv6Spec(Spec):
    """RWKV-6: width a multiple of 64; mix_rank, decay_rank: ranks of the data-dependent token shift and decay."""

    architecture: ClassVar[str] = "rwkv6"
    title: ClassVar[str] = "RWKV-6 (x060)"
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
        """Width of the channel mix: 3.5 × width, down to a multiple of 32."""
        return int(self.width * 3.5) // 32 * 32

    @property
    def state_shape(self) -> tuple[int, ...]:
        return rwkv_state_shape(self)

    def shapes(self) -> Shapes:
        """By the names and in the shapes of the authors' own checkpoints."""
        width, hidden, rows = self.width, self.hidden, self.vocabulary
        found: Shapes = {EMBEDDING: (rows, width)} | norm("blocks.0.ln0", width)
        for layer in range(self.layers):
            att, ffn = f"blocks.{layer}.att.", f"blocks.{layer}.ffn."
            found |= norm(f"blocks.{layer}.ln1", width)
            found |= {f"{att}time_maa_x": (1, 1, width), f"{att}time_maa_w1": (width, 5 * self.mix_rank)}
            found |= {f"{att}time_maa_{kind}": (1, 1, width) for kind in "wkvrg"}
            found |= {
                f"{att}time_maa_w2": (5, self.mix_rank, width),
                f"{att}time_decay": (1, 1, width),
                f"{att}time_decay_w1": (width, self.decay_rank),
                f"{att}time_decay_w2": (self.decay_rank, width),
                f"{att}time_faaaa": (self.heads, HEAD_SIZE),
            }
            found |= {f"{att}{matrix}.weight": (width, width) for matrix in ("key", "value", "receptance", "gate")}
            found |= norm(f"{att}ln_x", width)
            found |= {f"{att}output.weight": (width, width)}
            found |= norm(f"blocks.{layer}.ln2", width)
            found |= {
                f"{ffn}time_maa_k": (1, 1, width),
                f"{ffn}time_maa_r": (1, 1, width),
                f"{ffn}key.weight": (hidden, width),
                f"{ffn}receptance.weight": (width, width),
                f"{ffn}value.weight": (width, hidden),
            }
        return found | norm("ln_out", width) | {"head.weight": (rows, width)}


@dataclass(frozen=True, slots=True)
class Rwkv7Spec(Spec):
    """RWKV-7: width a multiple of 64.

    decay_rank, rate_rank, value_rank, gate_rank: ranks of what makes decay, in-context learning rate, the share of the
    first layer's values, and gate depend on the data; 0 for what the authors advise for the width.
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
        """By the names and in the shapes of the authors' own checkpoints; the first layer has no value to share."""
        width, hidden, rows = self.width, self.hidden, self.vocabulary
        ranks = {"w": self.decay_rank, "a": self.rate_rank, "v": self.value_rank, "g": self.gate_rank}
        found: Shapes = {EMBEDDING: (rows, width)} | norm("blocks.0.ln0", width)
        for layer in range(self.layers):
            att, ffn = f"blocks.{layer}.att.", f"blocks.{layer}.ffn."
            found |= norm(f"blocks.{layer}.ln1", width)
            found |= {f"{att}x_{kind}": (1, 1, width) for kind in "rwkvag"}
            found |= {f"{att}{matrix}.weight": (width, width) for matrix in ("receptance", "key", "value")}
            for kind, rank in ranks.items():
                if kind == "v" and layer == 0:
                    continue
                found |= {} if kind == "g" else {f"{att}{kind}0": (1, 1, width)}
                found |= {f"{att}{kind}1": (width, rank), f"{att}{kind}2": (rank, width)}
            found |= {f"{att}{kind}": (1, 1, width) for kind in ("k_k", "k_a")}
            found |= {f"{att}r_k": (self.heads, HEAD_SIZE)}
            found |= norm(f"{att}ln_x", width)
            found |= {f"{att}output.weight": (width, width)}
            found |= norm(f"blocks.{layer}.ln2", width)
            found |= {
                f"{ffn}x_k": (1, 1, width),
                f"{ffn}key.weight": (hidden, width),
                f"{ffn}value.weight": (width, hidden),
            }
        return found | norm("ln_out", width) | {"head.weight": (rows, width)}


def norm(name: str, width: int) -> Shapes:
    """A layer norm's arrays."""
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def require_spec(spec: Spec, wanted: type[SpecT], engine: str) -> SpecT:
    """`spec` as what `engine` steps. Raises ModelError where it is another architecture's."""
    if not isinstance(spec, wanted):
        raise ModelError(f"the engine '{engine}' steps {wanted.title}, not {spec.title}; 'auto' finds one that does")
    return spec


def check_heads(spec: Spec) -> None:
    """Raises ModelError where the width does not divide into heads."""
    if spec.width % HEAD_SIZE:
        raise ModelError(f"{spec}: width must be a multiple of {HEAD_SIZE}")


def rwkv_state_shape(spec: Spec) -> tuple[int, int]:
    """Per layer: the last inputs of both mixes, and a matrix a head (see `engine.RwkvMemory`)."""
    return spec.layers, spec.width * (2 + HEAD_SIZE)
