"""The FluidSynth library, loaded once, with a binding that pyfluidsynth lacks and with captured messages."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
import threading
from collections import deque
from functools import cache
from typing import Any

from radio.errors import AudioError

_LEVELS = range(5)
"""FLUID_PANIC, FLUID_ERR, FLUID_WARN, FLUID_INFO, FLUID_DBG (fluidsynth/log.h)."""
_SERIOUS = 1

_LogFunction = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
_thread = threading.local()
_import_lock = threading.Lock()


def _log(level: int, message: bytes | None, _data: object) -> None:
    if level <= _SERIOUS and message:
        _messages().append(message.decode("utf-8", "replace").strip())


def _messages() -> deque[str]:
    """Return this thread's latest error messages.

    FluidSynth logs in the calling thread, but its log function is global.
    """
    if not hasattr(_thread, "messages"):
        _thread.messages = deque(maxlen=8)
    messages: deque[str] = _thread.messages
    return messages


_log_callback = _LogFunction(_log)


@cache
def library() -> Any:
    """Return the pyfluidsynth module, extended by `nwrite_float(synth, frames, left, right, fx_left, fx_right)`.

    `nwrite_float` renders each group of MIDI channels into its own buffers: `left` and `right` are arrays of their
    addresses.

    Raises:
        AudioError: the shared library is not installed.
    """
    try:
        fluidsynth = _import_quietly()
    except (ImportError, OSError, AttributeError) as error:
        raise AudioError(f"FluidSynth cannot be loaded ({error}): try `apt install libfluidsynth3`") from error
    shared = fluidsynth._fl
    for level in _LEVELS:
        shared.fluid_set_log_function(level, _log_callback, None)
    nwrite_float = shared.fluid_synth_nwrite_float
    nwrite_float.restype = ctypes.c_int
    nwrite_float.argtypes = [ctypes.c_void_p, ctypes.c_int, *[ctypes.c_void_p] * 4]
    fluidsynth.nwrite_float = nwrite_float
    return fluidsynth


def _import_quietly() -> Any:
    """Import pyfluidsynth as a module whose `print` does nothing.

    It prints the library's name if CI is set in the environment, but stdout may carry audio. Replacing `sys.stdout`
    during the import would replace it in all threads.
    """
    with _import_lock:
        if "fluidsynth" not in sys.modules:
            spec = importlib.util.find_spec("fluidsynth")
            if spec is None or spec.loader is None:
                raise ImportError("pyfluidsynth is not installed")
            module = importlib.util.module_from_spec(spec)
            vars(module)["print"] = lambda *_, **__: None
            spec.loader.exec_module(module)
            sys.modules["fluidsynth"] = module
        return sys.modules["fluidsynth"]


def take_errors() -> str:
    """Return the errors that FluidSynth has logged in this thread since the last call, joined by `; `."""
    messages = _messages()
    text = "; ".join(messages)
    messages.clear()
    return text
