"""The architectures that a checkpoint can be of, and what steps each of them plainly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from radio.model.baselines.spec import CnnSpec, GruSpec, LstmSpec, RnnSpec, TransformerSpec
from radio.model.spec import Rwkv6Spec, Rwkv7Spec, Spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from radio.model.checkpoint import Checkpoint
    from radio.model.engine import Engine


@dataclass(frozen=True, slots=True)
class Architecture:
    """spec: its sizes. module, engine: where its plain numpy engine stands, the reference for every other."""

    spec: type[Spec]
    module: str
    engine: str

    def open_plain(self, checkpoint: Checkpoint) -> Engine:
        """The numpy engine over a checkpoint of this architecture."""
        opened: Callable[[Checkpoint], Engine] = cast("Callable[..., Engine]", getattr(self._module(), self.engine))
        return opened(checkpoint)

    def _module(self) -> object:
        return import_module(f"radio.model.{self.module}")


_ALL: Final = (
    Architecture(Rwkv6Spec, "numpy_engine", "NumpyEngine"),
    Architecture(Rwkv7Spec, "rwkv7_numpy", "Rwkv7Engine"),
    Architecture(RnnSpec, "baselines.recurrent", "RnnEngine"),
    Architecture(GruSpec, "baselines.recurrent", "GruEngine"),
    Architecture(LstmSpec, "baselines.recurrent", "LstmEngine"),
    Architecture(CnnSpec, "baselines.cnn", "CnnEngine"),
    Architecture(TransformerSpec, "baselines.transformer", "TransformerEngine"),
)
ARCHITECTURES: Final[Mapping[str, Architecture]] = MappingProxyType({each.spec.architecture: each for each in _ALL})
