"""Checkpoints: safetensors files whose header contains the sizes, the tokens and the model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np

from radio.errors import ModelError
from radio.model.spec.architectures import ARCHITECTURES
from radio.model.spec.rwkv import Rwkv6Spec, Spec
from radio.model.weights import tensorfile
from radio.model.weights.packing import Array, PackedWeights, WeightFormat, pack, parse_weight_format
from radio.model.weights.tensorfile import Tensors
from radio.music.parts import PARTS, Part
from radio.music.vocab import IDS, NAMES
from radio.types import JsonValue, TokenId

_FORMATS: Mapping[str, type[Spec]] = {f"radio-{name}-2": spec for name, spec in ARCHITECTURES.items()}
"""One per architecture. The number is the version of the array layout."""
_PLAIN_FORMAT = "radio-rwkv6-1"
"""The first format: RWKV-6 as float32 arrays in their natural shapes."""

Weights = Mapping[str, Array]


@dataclass(frozen=True)
class Checkpoint:
    """A model with its vocabulary and its card.

    tokens: the vocabulary id of each row.
    weights: float32 arrays by the names of `spec.shapes()`. Those of a file are `PackedWeights`.
    card: recipe, corpus, figures and attribution, as JSON.
    """

    part: Part
    spec: Spec
    tokens: tuple[TokenId, ...]
    weights: Weights
    card: Mapping[str, JsonValue]

    def packed(self, weight_format: WeightFormat | None = None) -> PackedWeights:
        """Return the weights in `weight_format`; None keeps their current format, or fp32 for plain arrays."""
        if isinstance(self.weights, PackedWeights) and weight_format in (None, self.weights.weight_format):
            return self.weights
        return pack(self.weights, self.spec, weight_format or "fp32")


def write(path: Path, checkpoint: Checkpoint, weight_format: WeightFormat | None = None) -> None:
    """Write `checkpoint` in `weight_format` (see `Checkpoint.packed`).

    The target is replaced only once the whole file is on disk.
    """
    weights = checkpoint.packed(weight_format)
    metadata = {
        "format": f"radio-{checkpoint.spec.architecture}-2",
        "weights": weights.weight_format,
        "part": checkpoint.part.name,
        "spec": json.dumps(asdict(checkpoint.spec)),
        "tokens": json.dumps([NAMES[token] for token in checkpoint.tokens]),
        "card": json.dumps(checkpoint.card),
    }
    tensorfile.write(path, weights.tensors, metadata)


def read(path: Path, part: Part | None = None) -> Checkpoint:
    """Read a checkpoint. With `part`, require a model of that part.

    Raises:
        ModelError: The file is missing, truncated, not a checkpoint, or of another part, or its tokens, shapes or
            numbers are invalid.
    """
    tensors, metadata = tensorfile.read(path)
    file_format = metadata.get("format")
    if file_format not in _FORMATS and file_format != _PLAIN_FORMAT:
        formats = ", ".join(_FORMATS)
        raise ModelError(f"{path}: not a checkpoint of this radio (format {file_format!r}); use one of {formats}")
    try:
        stored_part = PARTS[metadata["part"]]
        spec = _FORMATS.get(file_format or "", Rwkv6Spec)(**json.loads(metadata["spec"]))
        names = json.loads(metadata["tokens"])
        card = json.loads(metadata["card"])
        weight_format = parse_weight_format(metadata["weights"]) if file_format in _FORMATS else "fp32"
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: its header is malformed ({error!r})") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"{path}: its header is malformed (the tokens must be a list of names)")
    unknown = [name for name in names if name not in IDS]
    if unknown or len(set(names)) != len(names):
        raise ModelError(f"{path}: its tokens contradict the vocabulary table ({unknown[:3] or 'duplicate names'})")
    if len(names) != spec.vocabulary:
        raise ModelError(f"{path}: its header lists {len(names)} tokens for {spec.vocabulary} rows")
    if spec.layers > len(tensors):  # checked first, because listing the arrays of too many layers is slow
        raise ModelError(f"{path}: it has {len(tensors)} arrays, too few for {spec.layers} layers")
    weights = (
        PackedWeights(spec, weight_format, tensors) if file_format in _FORMATS else _pack_plain(path, spec, tensors)
    )
    if problem := next(weights.problems(), None):
        raise ModelError(f"{path}: {problem}")
    if part is not None and stored_part is not part:
        raise ModelError(f"{path}: this is a {stored_part.name} model; use a {part.name} model")
    return Checkpoint(stored_part, spec, tuple(IDS[name] for name in names), weights, card)


def _pack_plain(path: Path, spec: Spec, tensors: Tensors) -> PackedWeights:
    shapes = spec.shapes()
    if set(shapes) != set(tensors):
        missing, extra = sorted(set(shapes) - set(tensors)), sorted(set(tensors) - set(shapes))
        raise ModelError(f"{path}: missing {missing[:3]}, unexpected {extra[:3]} for {spec}")
    for name, shape in shapes.items():
        if tensors[name].shape != shape or tensors[name].dtype != np.float32:
            raise ModelError(f"{path}: {name} has shape {tensors[name].shape} of {tensors[name].dtype}, not {shape}")
    return pack(cast("Weights", tensors), spec, "fp32")
