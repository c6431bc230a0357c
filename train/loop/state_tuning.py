"""State tuning: training of a model's initial state only, on a handful of pieces.

Sources: "Personalizable Long-Context Symbolic Music Infilling with MIDI-RWKV", arXiv 2506.13001; RWKV-PEFT, "state
tuning" (a high rate that falls, since a state has few numbers and each of them changes the logits little).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from radio.errors import ModelError
from radio.model.tuned_state import require_tunable, wkv_shape
from radio.model.weights.checkpoint import Checkpoint
from train.data.passages import NamedPiece
from train.data.vocabulary import Rows, RowTable
from train.loop.batches import KEYS
from train.loop.schedule import share_at
from train.networks.architectures import build
from train.networks.base import State
from train.networks.rwkv import LayerState

_PADDING = 0
"""A row whose token is `<start>`, which has no loss."""


@dataclass(frozen=True, slots=True)
class StateTuning:
    """The settings of state tuning.

    bars: Length of a passage. Stations write phrases of up to eight bars from the beginning.
    passages: Passages in each step, each from a random bar of a random piece and, if pitched, in a random key.
    rate: The peak of Adam's rate, which falls along a cosine.
    penalty: Weight decay, which keeps the state near zero.
    """

    steps: int = 100
    bars: int = 8
    passages: int = 8
    rate: float = 0.2
    penalty: float = 0.0
    seed: int = 1


def network_of(model: Checkpoint) -> nn.Module:
    """Return a model's network, with frozen weights."""
    network = build(require_tunable(model.spec))
    network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in model.weights.items()})
    return network.eval().requires_grad_(False)


def tune(
    model: Checkpoint,
    pieces: Sequence[NamedPiece],
    how: StateTuning,
    on_step: Callable[[int, float], None] = lambda *_: None,
) -> npt.NDArray[np.float32]:
    """Return the WKV matrices (L, H, N, N) with which the model best predicts passages of `pieces`.

    Args:
        on_step: Called after each step, with its number and its bits per sampled token.

    Raises:
        ModelError: The states of this architecture cannot be tuned, or a loss is not finite.
    """
    torch.manual_seed(how.seed)
    network, table = network_of(model), RowTable(model.part, model.tokens)
    sampled = torch.from_numpy(~table.forced)
    wkv = nn.Parameter(torch.zeros(wkv_shape(require_tunable(model.spec))))
    optimizer = torch.optim.AdamW([wkv], lr=how.rate, betas=(0.9, 0.99), weight_decay=how.penalty)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: share_at(
            step, schedule="cosine", steps=how.steps, warmup=min(10, how.steps // 10), decay_share=1.0, end_share=0.05
        ),
    )
    for step, rows in zip(range(how.steps), _batches(pieces, table, how), strict=False):
        targets = rows[:, 1:].reshape(-1)
        logits, _ = network(rows[:, :-1], _state_of(wkv, len(rows)))
        losses = functional.cross_entropy(logits.flatten(0, 1), targets, reduction="none")[sampled[targets]]
        loss = losses.mean()
        if not bool(torch.isfinite(loss)):
            raise ModelError(f"the loss of step {step + 1} is not finite; use a lower rate")
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_([wkv], 1.0)
        optimizer.step()
        schedule.step()
        on_step(step + 1, float(loss.detach()) / math.log(2))
    return wkv.detach().numpy().copy()


def _state_of(wkv: Tensor, lanes: int) -> State:
    """Return the initial state of all lanes."""
    width = wkv.shape[1] * wkv.shape[2]
    shift = torch.zeros(lanes, width)
    return [LayerState(shift, shift, layer.expand(lanes, -1, -1, -1)) for layer in wkv]


def _batches(pieces: Sequence[NamedPiece], table: RowTable, how: StateTuning) -> Iterator[Tensor]:
    """Yield rows (B, T + 1) endlessly, padded after short passages."""
    generator = np.random.default_rng(how.seed)
    while True:
        lines = [_draw(pieces, table, how.bars, generator) for _ in range(how.passages)]
        rows = np.full((len(lines), max(len(line) for line in lines)), _PADDING)
        for lane, line in zip(rows, lines, strict=True):
            lane[: len(line)] = line
        yield torch.from_numpy(rows)


def _draw(pieces: Sequence[NamedPiece], table: RowTable, bars: int, generator: np.random.Generator) -> Rows:
    """Return the rows of a passage of a drawn piece."""
    piece = pieces[int(generator.integers(len(pieces)))]
    first = int(generator.integers(max(1, len(piece.bar_places) - bars + 1)))
    semitones = int(generator.choice(KEYS)) if table.is_pitched else 0
    return table.rows(piece.bars(first, bars), semitones=semitones)
