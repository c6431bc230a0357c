"""Tuned states: initial states, trained on a handful of pieces, that a model starts from instead of zeros.

Only the state is trained and the weights do not change, so a file is small and a station of any style can have its
own. A file contains the WKV matrices of all layers; both token shifts start from zeros.
Source: "Personalizable Long-Context Symbolic Music Infilling with MIDI-RWKV", arXiv 2506.13001.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from radio.errors import ModelError
from radio.model.engines.base import Array, RwkvMemory, State, zero_state
from radio.model.spec.rwkv import HEAD_SIZE, Rwkv6Spec, Rwkv7Spec, Spec
from radio.model.weights import tensorfile
from radio.model.weights.checkpoint import Checkpoint
from radio.types import JsonValue

FORMAT: Final = "radio-tuned-state-1"

RwkvSpec: TypeAlias = Rwkv6Spec | Rwkv7Spec
"""The architectures whose states can be tuned."""


@dataclass(frozen=True, slots=True)
class TunedState:
    """A tuned state.

    wkv: (L, H, N, N), the key axis before the value axis.
    model: The fingerprint of the model that it was tuned for.
    card: Its corpus and its recipe, as JSON.
    """

    wkv: Array
    model: str
    card: Mapping[str, JsonValue]


def fingerprint(model: Checkpoint) -> str:
    """Return a digest of the arrays that are the same in all weight formats, so that a converted model keeps it."""
    digest = sha256(f"{model.part.name} {model.spec}".encode())
    for name in model.spec.shapes():
        if not model.spec.is_matrix(name):
            digest.update(np.ascontiguousarray(model.weights[name]).tobytes())
    return digest.hexdigest()


def require_tunable(spec: Spec) -> RwkvSpec:
    """Return `spec`. Raise ModelError if it is not of an architecture whose states can be tuned."""
    if not isinstance(spec, RwkvSpec):
        raise ModelError(f"only states of RWKV can be tuned, not of {spec.title}")
    return spec


def wkv_shape(spec: RwkvSpec) -> tuple[int, int, int, int]:
    """Return the shape of the WKV matrices of a model."""
    return spec.layers, spec.heads, HEAD_SIZE, HEAD_SIZE


def begin_with(wkv: Array, spec: RwkvSpec) -> State:
    """Return an initial state with these WKV matrices."""
    memory = zero_state(spec).memory
    RwkvMemory.of(memory).wkv[:] = wkv
    return State(memory)


def write(path: Path, tuned: TunedState) -> None:
    """Write a tuned state. The target is replaced only once the whole file is on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"format": FORMAT, "model": tuned.model, "card": json.dumps(dict(tuned.card), ensure_ascii=False)}
    tensorfile.write(path, {"wkv": tuned.wkv}, metadata)


def read(path: Path, model: Checkpoint) -> State:
    """Read a tuned state and return it as an initial state of `model`.

    Raises:
        ModelError: The file is missing, damaged, not a tuned state, or made for another model.
    """
    arrays, metadata = tensorfile.read(path)
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{path}: not a tuned state (format {metadata.get('format')!r}); use a {FORMAT} file")
    spec = require_tunable(model.spec)
    wkv = arrays.get("wkv")
    if wkv is None or len(arrays) != 1 or wkv.dtype != np.float32 or not np.isfinite(wkv.astype(np.float32)).all():
        raise ModelError(f"{path}: a tuned state has one array, wkv, of finite float32 numbers; it has {[*arrays]}")
    if wkv.shape != wkv_shape(spec) or metadata.get("model") != fingerprint(model):
        raise ModelError(f"{path}: this is a state of another model; tune one for the {model.part.name} model in use")
    return begin_with(wkv.astype(np.float32), spec)
