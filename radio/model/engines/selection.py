"""Which engine steps a model: the native one where it was compiled for it, else numpy; or the one asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radio.errors import ModelError, did_you_mean
from radio.model.engines.numpy_engines import open_numpy_engine
from radio.settings.engines import AUTO, ENGINES

if TYPE_CHECKING:
    from radio.model.engines.base import Engine
    from radio.model.weights.checkpoint import Checkpoint


def check_engine_name(name: str) -> str:
    """`name`, where it is one of `ENGINES`. Raises ModelError otherwise."""
    if name not in ENGINES:
        raise ModelError(f"there is no engine '{name}'.{did_you_mean(name, ENGINES)} Engines: {', '.join(ENGINES)}")
    return name


def open_engine(checkpoint: Checkpoint, name: str = AUTO) -> Engine:
    """The engine of that name over a checkpoint. Raises ModelError where this machine has not got it."""
    from radio.model.engines import native_engine

    kind, _, path = check_engine_name(name).partition(":")
    if kind == "native" or (kind == AUTO and native_engine.supports(checkpoint.spec)):
        return native_engine.NativeEngine(checkpoint, path=path or None)
    if kind == "torch":
        try:
            from radio.model.engines.torch_engine import TorchEngine
        except ImportError as error:
            raise ModelError(f"the engine 'torch' needs PyTorch ({error}): pip install 'radio[torch]'") from error
        return TorchEngine(checkpoint)
    return open_numpy_engine(checkpoint)


def describe() -> str:
    """The engine that `auto` takes on this machine, in words, and what would bring a faster one."""
    from radio.model.engines import native_engine

    if paths := native_engine.paths():
        return f"native, {paths[0]} (also {', '.join(paths[1:])}, numpy)"
    return (
        f"numpy: the native engine, several times faster, was not compiled ({native_engine.missing_reason()}); "
        "apt install gcc libc6-dev python3-dev, then install the radio again"
    )
