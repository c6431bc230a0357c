"""Checkpoints: safetensors whose header says what the model is, which tokens it knows and how it came to be."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from radio.errors import ModelError
from radio.model.spec import Spec
from radio.music.parts import PARTS, Part
from radio.music.vocab import IDS, NAMES
from radio.types import JsonValue, TokenId

FORMAT = "radio-rwkv6-1"
Weights = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Checkpoint:
    """A model on disk.

    weights: arrays by RWKV-6's own parameter names, float32. tokens: the vocabulary ids of its rows, in order.
    card: recipe, corpus, figures and attribution, as JSON.
    """

    part: Part
    spec: Spec
    tokens: tuple[TokenId, ...]
    weights: Weights
    card: Mapping[str, JsonValue]


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint`; the target is replaced only when all of it is on disk."""
    metadata = {
        "format": FORMAT,
        "part": checkpoint.part.name,
        "spec": json.dumps(asdict(checkpoint.spec)),
        "tokens": json.dumps([NAMES[token] for token in checkpoint.tokens]),
        "card": json.dumps(checkpoint.card),
    }
    partial = path.with_suffix(".partial")
    save_file({name: np.ascontiguousarray(array) for name, array in checkpoint.weights.items()}, partial, metadata)
    partial.chmod(0o644)  # the library makes it readable by its owner alone
    partial.replace(path)


def read(path: Path, part: Part | None = None) -> Checkpoint:
    """Read a checkpoint, of `part` where one is given.

    Raises:
        ModelError: missing, truncated, not ours, of another part, or its token list, shapes or numbers are not what
            they must be.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such checkpoint")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise ModelError(
                    f"{path}: not a checkpoint of this radio (format {metadata.get('format')!r}, not {FORMAT})"
                )
            weights = {name: file.get_tensor(name).astype(np.float32, copy=False) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, struct.error, TypeError) as error:  # TypeError: a dtype that numpy has not
        raise ModelError(f"{path}: corrupt or not safetensors ({error})") from error
    try:
        named = PARTS[metadata["part"]]
        spec = Spec(**json.loads(metadata["spec"]))
        names = json.loads(metadata["tokens"])
        card = json.loads(metadata["card"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: its header is malformed ({error!r})") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"{path}: its header is malformed (tokens must be a list of names)")
    unknown = [name for name in names if name not in IDS]
    if unknown or len(set(names)) != len(names):
        raise ModelError(f"{path}: its token list contradicts the vocabulary table ({unknown[:3] or 'names repeat'})")
    if len(names) != spec.vocabulary:
        raise ModelError(f"{path}: names {len(names)} tokens but has rows for {spec.vocabulary}")
    checkpoint = Checkpoint(named, spec, tuple(IDS[name] for name in names), weights, card)
    _check(path, checkpoint)
    if part is not None and checkpoint.part is not part:
        raise ModelError(f"{path}: a {checkpoint.part.name} model where the {part.name} model belongs")
    return checkpoint


def shapes(spec: Spec) -> dict[str, tuple[int, ...]]:
    """Every array of a model of `spec`, by RWKV-6's parameter names."""
    width, hidden, rows = spec.width, spec.hidden, spec.vocabulary
    found: dict[str, tuple[int, ...]] = {"emb.weight": (rows, width), "head.weight": (rows, width)}
    norms = [
        "ln_out",
        "blocks.0.ln0",
        *(f"blocks.{layer}.{ln}" for layer in range(spec.layers) for ln in ("ln1", "ln2")),
    ]
    for layer in range(spec.layers):
        att, ffn = f"blocks.{layer}.att.", f"blocks.{layer}.ffn."
        norms.append(f"{att}ln_x")
        found |= {f"{att}time_maa_{kind}": (1, 1, width) for kind in "xwkvrg"}
        found |= {
            f"{att}{matrix}.weight": (width, width) for matrix in ("receptance", "key", "value", "gate", "output")
        }
        found |= {
            f"{att}time_maa_w1": (width, 5 * spec.mix_rank),
            f"{att}time_maa_w2": (5, spec.mix_rank, width),
            f"{att}time_decay": (1, 1, width),
            f"{att}time_decay_w1": (width, spec.decay_rank),
            f"{att}time_decay_w2": (spec.decay_rank, width),
            f"{att}time_faaaa": (spec.heads, width // spec.heads),
            f"{ffn}time_maa_k": (1, 1, width),
            f"{ffn}time_maa_r": (1, 1, width),
            f"{ffn}key.weight": (hidden, width),
            f"{ffn}receptance.weight": (width, width),
            f"{ffn}value.weight": (width, hidden),
        }
    return found | {f"{norm}.{kind}": (width,) for norm in norms for kind in ("weight", "bias")}


def _check(path: Path, checkpoint: Checkpoint) -> None:
    wanted = shapes(checkpoint.spec)
    missing = sorted(set(wanted) - set(checkpoint.weights))
    extra = sorted(set(checkpoint.weights) - set(wanted))
    if missing or extra:
        raise ModelError(f"{path}: missing {missing[:3]}, unexpected {extra[:3]} for {checkpoint.spec}")
    for name, shape in wanted.items():
        array = checkpoint.weights[name]
        if array.shape != shape:
            raise ModelError(f"{path}: {name} has shape {array.shape}, not {shape}")
        if not np.isfinite(array).all():
            raise ModelError(f"{path}: {name} holds numbers that are not finite")
