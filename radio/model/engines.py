"""Which engine steps a model: the native one where it was compiled for it, else numpy; or the one asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from radio.errors import ModelError, nearest
from radio.model.architectures import ARCHITECTURES

if TYPE_CHECKING:
    from radio.model.checkpoint import Checkpoint
    from radio.model.engine import Engine

AUTO: Final = "auto"
ENGINES: Final = (
    AUTO,
    "native",
    *(f"native:{path}" for path in ("avx512", "avxvnni", "avx2", "dotprod", "neon", "portable")),
    "numpy",
    "torch",
)
"""What `engine:` of a station can be. A path of the native engine is named only to compare it with the others."""


def checked(name: str) -> str:
    """`name`, where it is one of `ENGINES`. Raises ModelError otherwise."""
    if name not in ENGINES:
        raise ModelError(f"there is no engine '{name}'.{nearest(name, ENGINES)} Engines: {', '.join(ENGINES)}")
    return name


def open_engine(checkpoint: Checkpoint, name: str = AUTO) -> Engine:
    """The engine of that name over a checkpoint. Raises ModelError where this machine has not got it."""
    from radio.model import native_engine

    kind, _, path = checked(name).partition(":")
    if kind == "native" or (kind == AUTO and native_engine.steps(checkpoint.spec)):
        return native_engine.NativeEngine(checkpoint, path=path or None)
    if kind == "torch":
        try:
            from radio.model.torch_engine import TorchEngine
        except ImportError as error:
            raise ModelError(f"the engine 'torch' needs PyTorch ({error}): pip install 'radio[torch]'") from error
        return TorchEngine(checkpoint)
    return ARCHITECTURES[checkpoint.spec.architecture].open_plain(checkpoint)


def describe() -> str:
    """The engine that `auto` takes on this machine, in words, and what would bring a faster one."""
    from radio.model import native_engine

    if paths := native_engine.paths():
        return f"native, {paths[0]} (also {', '.join(paths[1:])}, numpy)"
    return (
        f"numpy: the native engine, several times faster, was not compiled ({native_engine.why_missing()}); "
        "apt install gcc libc6-dev python3-dev, then install the radio again"
    )
