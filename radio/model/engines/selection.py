"""Selection of the engine for a model: the requested one, or the native engine if available, else numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radio.errors import ModelError, did_you_mean
from radio.model.engines.numpy_engines import open_numpy_engine
from radio.settings.engines import AUTO, ENGINES

if TYPE_CHECKING:
    from radio.model.engines.base import Engine
    from radio.model.weights.checkpoint import Checkpoint


def check_engine_name(name: str) -> str:
    """Return `name`. Raise ModelError if it is not one of `ENGINES`."""
    if name not in ENGINES:
        raise ModelError(f"there is no engine '{name}'.{did_you_mean(name, ENGINES)} Engines: {', '.join(ENGINES)}")
    return name


def open_engine(checkpoint: Checkpoint, name: str = AUTO) -> Engine:
    """Open the engine `name` for a checkpoint. Raise ModelError if this machine or the engine does not support it."""
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
    """Return a description of the engine that `auto` selects on this machine, and of how to get a faster one."""
    from radio.model.engines import native_engine

    if paths := native_engine.paths():
        return f"native, {paths[0]} (also {', '.join(paths[1:])}, numpy)"
    return (
        f"numpy: the native engine, several times faster, was not compiled ({native_engine.missing_reason()}); "
        "apt install gcc libc6-dev python3-dev, then reinstall the radio"
    )
