"""Checkpoints: safetensors whose header says what the model is, which tokens it knows and how it came to be."""

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

_FORMATS: Mapping[str, type[Spec]] = {f"radio-{word}-2": spec for word, spec in ARCHITECTURES.items()}
"""One for each architecture; the number counts how arrays are laid out."""
_PLAIN_FORMAT = "radio-rwkv6-1"
"""What was written at first: RWKV-6 as float32 arrays in their natural shapes."""

Weights = Mapping[str, Array]


@dataclass(frozen=True)
class Checkpoint:
    """A model on disk.

    weights: float32 arrays by the names of `spec.shapes()`; of a file, `PackedWeights`, which lie in the file itself.
    tokens: the vocabulary ids of its rows, in order. card: recipe, corpus, figures and attribution, as JSON.
    """

    part: Part
    spec: Spec
    tokens: tuple[TokenId, ...]
    weights: Weights
    card: Mapping[str, JsonValue]

    def packed(self, weight_format: WeightFormat | None = None) -> PackedWeights:
        """The weights in `weight_format`; none takes the one they are in, fp32 for plain arrays."""
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
    """Read a checkpoint, of `part` where one is given.

    Raises:
        ModelError: missing, truncated, not ours, of another part, or its token list, shapes or numbers are not what
            they must be.
    """
    tensors, metadata = tensorfile.read(path)
    found = metadata.get("format")
    if found not in _FORMATS and found != _PLAIN_FORMAT:
        raise ModelError(f"{path}: not a checkpoint of this radio (format {found!r}, not {', '.join(_FORMATS)})")
    try:
        named = PARTS[metadata["part"]]
        spec = _FORMATS.get(found or "", Rwkv6Spec)(**json.loads(metadata["spec"]))
        names = json.loads(metadata["tokens"])
        card = json.loads(metadata["card"])
        weight_format = parse_weight_format(metadata["weights"]) if found in _FORMATS else "fp32"
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: its header is malformed ({error!r})") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"{path}: its header is malformed (tokens must be a list of names)")
    unknown = [name for name in names if name not in IDS]
    if unknown or len(set(names)) != len(names):
        raise ModelError(f"{path}: its token list contradicts the vocabulary table ({unknown[:3] or 'names repeat'})")
    if len(names) != spec.vocabulary:
        raise ModelError(f"{path}: names {len(names)} tokens but has rows for {spec.vocabulary}")
    if spec.layers > len(tensors):  # before every layer's arrays are listed
        raise ModelError(f"{path}: has {len(tensors)} arrays, too few for {spec.layers} layers")
    weights = PackedWeights(spec, weight_format, tensors) if found in _FORMATS else _plain(path, spec, tensors)
    if fault := next(weights.faults(), None):
        raise ModelError(f"{path}: {fault}")
    if part is not None and named is not part:
        raise ModelError(f"{path}: a {named.name} model where the {part.name} model belongs")
    return Checkpoint(named, spec, tuple(IDS[name] for name in names), weights, card)


def _plain(path: Path, spec: Spec, tensors: Tensors) -> PackedWeights:
    wanted = spec.shapes()
    if set(wanted) != set(tensors):
        missing, extra = sorted(set(wanted) - set(tensors)), sorted(set(tensors) - set(wanted))
        raise ModelError(f"{path}: missing {missing[:3]}, unexpected {extra[:3]} for {spec}")
    for name, shape in wanted.items():
        if tensors[name].shape != shape or tensors[name].dtype != np.float32:
            raise ModelError(f"{path}: {name} has shape {tensors[name].shape} of {tensors[name].dtype}, not {shape}")
    return pack(cast("Weights", tensors), spec, "fp32")
