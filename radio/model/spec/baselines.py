"""Sizes of the baselines, which RWKV is compared with and which stations can also play.

All share one frame: an embedding followed by a norm, residual blocks that start with a norm, a norm, and a head. They
differ in the blocks, which look at earlier tokens.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from radio.errors import ModelError
from radio.model.spec.rwkv import EMBEDDING, Shapes, Spec, norm


@dataclass(frozen=True, slots=True)
class BaselineSpec(Spec):
    """Sizes of a baseline. Subclasses define its blocks."""

    @abstractmethod
    def block(self) -> Shapes:
        """Return the shapes of the arrays of one block, by name within the block."""

    def shapes(self) -> Shapes:
        shapes: Shapes = {EMBEDDING: (self.vocabulary, self.width)} | norm("ln0", self.width)
        for layer in range(self.layers):
            shapes |= {f"blocks.{layer}.{name}": shape for name, shape in self.block().items()}
        return shapes | norm("ln_out", self.width) | {"head.weight": (self.vocabulary, self.width)}


@dataclass(frozen=True, slots=True)
class RecurrentSpec(BaselineSpec):
    """Sizes of a recurrent network with one cell per block.

    gates: gate vectors computed from the input and the hidden vector.
    vectors: state vectors of a cell.
    """

    gates: ClassVar[int]
    vectors: ClassVar[int] = 1

    @property
    def state_shape(self) -> tuple[int, ...]:
        return self.layers, self.vectors, self.width

    def block(self) -> Shapes:
        rows, width = self.gates * self.width, self.width
        return norm("ln", width) | {
            "input.weight": (rows, width),
            "input.bias": (rows,),
            "recurrent.weight": (rows, width),
            "recurrent.bias": (rows,),
        }


@dataclass(frozen=True, slots=True)
class RnnSpec(RecurrentSpec):
    """A simple recurrent network.

    Source: Elman, "Finding Structure in Time", Cognitive Science 14 (1990).
    """

    architecture: ClassVar[str] = "rnn"
    title: ClassVar[str] = "simple RNN"
    gates: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class GruSpec(RecurrentSpec):
    """A gated recurrent unit, with the reset gate after the recurrent matrix as in cuDNN and PyTorch.

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder", arXiv 1406.1078.
    """

    architecture: ClassVar[str] = "gru"
    title: ClassVar[str] = "GRU"
    gates: ClassVar[int] = 3


@dataclass(frozen=True, slots=True)
class LstmSpec(RecurrentSpec):
    """A long short-term memory with a forget gate.

    Sources: Hochreiter and Schmidhuber (1997); Gers et al., "Learning to Forget" (2000).
    """

    architecture: ClassVar[str] = "lstm"
    title: ClassVar[str] = "LSTM"
    gates: ClassVar[int] = 4
    vectors: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class CnnSpec(BaselineSpec):
    """Causal convolutions of two taps with gated linear units; the distance of the taps doubles with each block.

    cycle: blocks after which the distance restarts at 1. Eight blocks see 256 tokens.
    Sources: van den Oord et al., "WaveNet", arXiv 1609.03499, section 2.1; Dauphin et al., "Language Modeling with
    Gated Convolutional Networks", arXiv 1612.08083.
    """

    architecture: ClassVar[str] = "cnn"
    title: ClassVar[str] = "1-D CNN"

    cycle: int = 8

    @property
    def distances(self) -> list[int]:
        """The distance between the taps of each block, in tokens."""
        return [2 ** (layer % self.cycle) for layer in range(self.layers)]

    @property
    def state_shape(self) -> tuple[int, ...]:
        return sum(self.distances), self.width

    def block(self) -> Shapes:
        width = self.width
        return norm("ln", width) | {
            "taps.weight": (2 * width, 2 * width),  # value and gate, from the earlier and the current token
            "taps.bias": (2 * width,),
            "output.weight": (width, width),
        }


@dataclass(frozen=True, slots=True)
class TransformerSpec(BaselineSpec):
    """Attention over the last `context` tokens, including the current one, and SwiGLU.

    The width is a multiple of `head_size`.

    Sources: Vaswani et al., arXiv 1706.03762; Su et al., "RoFormer", arXiv 2104.09864 (rotary positions); Shazeer, "GLU
    Variants Improve Transformer", arXiv 2002.05202; Dai et al., "Transformer-XL", arXiv 1901.02860 (cached keys).
    """

    architecture: ClassVar[str] = "transformer"
    title: ClassVar[str] = "Transformer"

    context: int = 256
    head_size: int = 32

    def __post_init__(self) -> None:
        BaselineSpec.__post_init__(self)
        if self.head_size < 2 or self.head_size % 2 or self.width % self.head_size:
            raise ModelError(f"{self}: the width must be a multiple of the head size, which must be even")

    @property
    def heads(self) -> int:
        return self.width // self.head_size

    @property
    def hidden(self) -> int:
        """Width of the feed-forward layer, which has three matrices."""
        return 3 * self.width

    @property
    def state_shape(self) -> tuple[int, ...]:
        """The shape of an empty context. Each token adds a row: its position, then key and value of each layer."""
        return 0, 1 + 2 * self.layers * self.width

    def is_state(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == 2 and shape[0] <= self.context and shape[1] == self.state_shape[1]

    def block(self) -> Shapes:
        width, hidden = self.width, self.hidden
        return (
            norm("ln1", width)
            | {"qkv.weight": (3 * width, width), "output.weight": (width, width)}
            | norm("ln2", width)
            | {"gate.weight": (hidden, width), "up.weight": (hidden, width), "down.weight": (width, hidden)}
        )
