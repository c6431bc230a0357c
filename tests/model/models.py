"""Small models with random weights, large enough to exercise all code paths."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import torch

from radio.model.engines.base import Engine
from radio.model.engines.selection import open_engine
from radio.model.spec.rwkv import Rwkv6Spec, Spec
from radio.model.weights.checkpoint import Checkpoint
from radio.music.parts import PARTS
from radio.music.vocab import is_attribute
from train.data.vocabulary import known_tokens
from train.networks.architectures import build
from train.networks.base import Model

torch.set_num_threads(1)  # the models are too small for more threads to help


def random_network(spec: Spec, seed: int = 0) -> Model:
    """Return a model whose zero-initialized parameters are random, so that no factor of 0 hides an error."""
    torch.manual_seed(seed)
    model = build(spec)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale = 0.3 if "emb" in name else 0.05
            parameter.add_(torch.randn_like(parameter) * scale)
    return model.eval()


@cache
def checkpoint(part: str = "piano", *, layers: int = 2, width: int = 64, seed: int = 0) -> Checkpoint:
    return random_checkpoint(Rwkv6Spec(layers, width, len(older_tokens(part))), part, seed)


@cache
def engine(part: str = "piano") -> Engine:
    """Return an engine over `checkpoint(part)`. A step changes nothing in it, so tests share it."""
    return open_engine(checkpoint(part))


@cache
def random_checkpoint(spec: Spec, part: str = "piano", seed: int = 0) -> Checkpoint:
    """Return a model of any size, whose vocabulary is a prefix of a part's tokens."""
    weights = {name: tensor.detach().numpy().copy() for name, tensor in random_network(spec, seed).state_dict().items()}
    tokens = older_tokens(part)[: spec.vocabulary]
    return Checkpoint(PARTS[part], spec, tokens, weights, {"corpus": "none"})


@cache
def band_checkpoint(spec: Spec, seed: int = 0) -> Checkpoint:
    """Return a band model that finds all notes nearly equally probable, so that all layers play."""
    model = random_checkpoint(spec, "band", seed)
    head = 0.1 * model.weights["head.weight"]
    return replace(model, weights={**model.weights, "head.weight": head})


def older_tokens(part: str) -> tuple[int, ...]:
    """Return the tokens of a model that knows no attributes, like the shipped piano."""
    return tuple(token for token in known_tokens(PARTS[part]) if not is_attribute(token))
