"""Training of the bass model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from radio.errors import SettingsError
from radio.model.bass_model import LOWEST, OUTPUTS, ROWS, BassModel
from radio.types import JsonValue
from train.bass.figures import BassFigures, measure_bass
from train.data.bass_corpus import LICENSE, Example, Performance, examples

WIDTH: Final = 96
EPOCHS: Final = 8
_BATCH: Final = 512
_RATE: Final = 2e-3
_WARM_UP: Final = 0.1
_WEIGHT_DECAY: Final = 0.02
_DROPOUT: Final = 0.2
_FORGOTTEN: Final = 0.02
"""Share of notes that are trained without the notes before them, as at the start of a line."""


class BassNetwork(nn.Module):
    """The network of `BassModel` in PyTorch."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.embedding = nn.Embedding(ROWS, width)
        nn.init.normal_(self.embedding.weight, std=0.3)
        self.bias = nn.Parameter(torch.zeros(width))
        self.output = nn.Linear(width, OUTPUTS)
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(self, rows: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return logits (batch, pitches) for rows (batch, features) and scores (batch, scored, pitches)."""
        hidden = torch.tanh(self.embedding(rows).sum(dim=1) + self.bias)
        outputs = self.output(self.dropout(hidden))
        logits: torch.Tensor = outputs.gather(1, scores.flatten(1)).view(scores.shape).sum(dim=1)
        return logits

    def model(self) -> BassModel:
        """Return the network as the radio's model."""
        arrays = {
            "embedding": self.embedding.weight,
            "bias": self.bias,
            "output": self.output.weight,
            "output_bias": self.output.bias,
        }
        return BassModel(
            **{name: np.array(array.detach().numpy(), np.float32) for name, array in arrays.items()}, card={}
        )


def train_bass(
    performances: Sequence[Performance], *, epochs: int = EPOCHS, seed: int = 1
) -> tuple[BassModel, BassFigures]:
    """Train a model on the performances that are not held out. Return it, with its card, and its figures.

    Raises:
        SettingsError: There are no notes to train on, or none to measure.
    """
    seen = [performance for performance in performances if not performance.held_out]
    notes = [example for performance in seen for example in examples(performance)]
    if not notes:
        raise SettingsError("no bass notes over known chords in 4/4 to train on")
    model = fit(notes, epochs=epochs, seed=seed)
    figures = measure_bass(model, performances)
    card: dict[str, JsonValue] = {
        "model": "bass",
        "architecture": f"one hidden layer of {WIDTH}",
        "recipe": {
            "epochs": epochs, "batch": _BATCH, "rate": _RATE, "warm_up": _WARM_UP, "weight_decay": _WEIGHT_DECAY,
            "dropout": _DROPOUT, "seed": seed,
        },
        "corpus": {"licence": LICENSE, "performances": len(seen), "notes": len(notes)},
        "held_out": figures.as_json(),
    }  # fmt: skip
    return replace(model, card=card), figures


def fit(notes: Sequence[Example], *, epochs: int = EPOCHS, seed: int = 1) -> BassModel:
    """Train a model on `notes`; the same seed gives the same model on the same machine."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = BassNetwork()
        rows, scores, targets = _tensors(notes, np.random.default_rng(seed))
        optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_WEIGHT_DECAY)
        steps = epochs * -(-len(targets) // _BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps + 1, pct_start=_WARM_UP)
        network.train()
        for _ in tqdm(range(epochs), unit="epoch", desc="bass"):
            for batch in torch.randperm(len(targets), generator=generator).split(_BATCH):  # type: ignore[no-untyped-call]
                loss = functional.cross_entropy(network(rows[batch], scores[batch].long()), targets[batch])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
    return network.model()


def _tensors(
    notes: Sequence[Example], generator: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return rows, scores and targets of all notes."""
    forgotten = generator.random(len(notes)) < _FORGOTTEN
    contexts = [
        replace(example.context, line=()) if without else example.context
        for example, without in zip(notes, forgotten, strict=True)
    ]
    rows = torch.tensor([context.rows() for context in contexts])
    scores = torch.from_numpy(np.stack([context.scores() for context in contexts]).astype(np.int16))
    return rows, scores, torch.tensor([example.note - LOWEST for example in notes])
