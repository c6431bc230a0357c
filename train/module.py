"""The Lightning module: loss over sampled tokens, state carried from window to window."""

from __future__ import annotations

import math
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional

from train.architectures import build, sized
from train.data import Batch
from train.model import State, detached, with_fresh
from train.recipe import Recipe
from train.vocabulary import RowTable


class Fit(lightning.LightningModule):
    """Trains a model by `recipe`. Logs nats as `loss` and bits per sampled token as `bits` and `val_bits`."""

    def __init__(self, recipe: Recipe, table: RowTable) -> None:
        super().__init__()
        self.recipe = recipe
        self.model = build(
            sized(
                recipe.architecture,
                layers=recipe.layers,
                width=recipe.width,
                vocabulary=len(table.tokens),
                dropout=recipe.dropout,
            )
        )
        self.register_buffer("sampled", torch.from_numpy(~table.forced), persistent=False)
        self.carried: State | None = None
        self.carried_validation: State | None = None
        self.next_step = 0
        """The number of the next training batch: what a resumed run starts to read at."""
        self.tokens_before = 0
        """Tokens that the weights this run started from had seen."""
        self._validation_sums = torch.zeros(2, dtype=torch.float64)

    def _fresh(self, state: State | None, batch: Batch) -> State:
        """The state to start `batch` from: carried, and nothing for the lanes that are fresh."""
        zero = self.model.zero_state(len(batch.fresh), self.device)
        # a resumed run's state was loaded to the CPU, wherever the model is
        return zero if state is None else with_fresh(state, zero, batch.fresh)

    def losses(self, batch: Batch, state: State) -> tuple[Tensor, Tensor, State]:
        """Summed nats over the sampled targets, how many there are, and the state after the window."""
        targets = batch.rows[:, 1:].reshape(-1)
        logits, state = self.model(batch.rows[:, :-1], state)
        sampled = self.sampled[targets]  # type: ignore[index]
        nats = functional.cross_entropy(logits.flatten(0, 1).float(), targets, reduction="none")
        return (nats * sampled).sum(), sampled.sum(), detached(state)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        total, count, self.carried = self.losses(batch, self._fresh(self.carried, batch))
        self.next_step = batch.step + 1
        loss = total / count.clamp(min=1)
        self.log("loss", loss, prog_bar=True)
        self.log("bits", loss / math.log(2))
        self.log("rate", self.recipe.rate * self.recipe.rate_at(self.global_step))
        return loss

    def on_validation_epoch_start(self) -> None:
        self._validation_sums.zero_()
        self.carried_validation = None

    def validation_step(self, batch: Batch, _: int) -> None:
        total, count, self.carried_validation = self.losses(batch, self._fresh(self.carried_validation, batch))
        self._validation_sums += torch.tensor([float(total), float(count)], dtype=torch.float64)

    def on_validation_epoch_end(self) -> None:
        nats, count = self._validation_sums.tolist()
        self.log("val_bits", nats / max(1.0, count) / math.log(2), prog_bar=True)

    def on_before_optimizer_step(self, _: torch.optim.Optimizer) -> None:
        # Not Lightning's own clipping: that refuses fused optimisers, and no gradient is ever scaled here.
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)

    def configure_optimizers(self) -> Any:
        matrices = [p for p in self.model.parameters() if p.squeeze().ndim >= 2]
        rest = [p for p in self.model.parameters() if p.squeeze().ndim < 2]
        optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": self.recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}],
            lr=self.recipe.rate,
            betas=(0.9, 0.99),
            eps=1e-8,
            fused=True,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.recipe.rate_at)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["recipe"] = self.recipe.as_dict()
        checkpoint["next_step"] = self.next_step
        checkpoint["tokens_before"] = self.tokens_before
        checkpoint["carried"] = [tuple(layer) for layer in self.carried or []]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.next_step = checkpoint["next_step"]
        self.tokens_before = checkpoint["tokens_before"]
        self.carried = [tuple(layer) for layer in checkpoint["carried"]] or None
