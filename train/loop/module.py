"""The Lightning module: loss over sampled tokens, state carried from window to window."""

from __future__ import annotations

import math
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from radio.errors import ModelError
from train.data.vocabulary import Table
from train.loop.batches import Batch
from train.loop.devices import gather, reduce_all
from train.loop.precision import product_dtype
from train.loop.recipe import Recipe
from train.networks.architectures import build, size_spec
from train.networks.base import State, detach, join_lanes, lanes_of, with_fresh
from train.networks.experts import Rwkv6Experts
from train.networks.recompute import recompute_blocks


class DivergedError(ModelError):
    """Raised for a loss or a gradient that is not finite; the weights are those of the step before."""


class TrainingModule(lightning.LightningModule):
    """A model and its training by a recipe. Logs nats as `loss`, bits per sampled token as `bits` and `val_bits`."""

    def __init__(self, recipe: Recipe, table: Table) -> None:
        super().__init__()
        self.recipe = recipe
        self.model = build(
            size_spec(
                recipe.architecture,
                layers=recipe.layers,
                width=recipe.width,
                vocabulary=len(table.tokens),
                dropout=recipe.dropout,
                head_size=recipe.head_size,
                context=recipe.context,
                experts=recipe.experts,
                active=recipe.active,
            )
        )
        self.register_buffer("sampled", torch.from_numpy(~table.forced), persistent=False)
        if recipe.checkpoint_blocks:
            recompute_blocks(self.model)
        self.carried: dict[int, State] = {}
        """The state of each slice's lanes, by the number of its first lane."""
        self._restored: State = []
        """The states of all lanes of all devices when the run was stopped."""
        self.carried_validation: State | None = None
        self.next_step = 0
        """The next training step, at which a resumed run starts to read."""
        self.tokens_before = 0
        """Tokens that the initial weights were trained on before this run."""
        self._validation_sums = torch.zeros(2, dtype=torch.float64)
        self._under_way = False
        self._nats = torch.zeros(())
        self._sampled = torch.ones(())
        """The current step's sampled targets on all devices. `_nats` is its loss so far on this device."""

    def _fresh(self, state: State | None, batch: Batch) -> State:
        """Return the state that `batch` starts from: carried over, and zero for fresh lanes."""
        zero = self.model.zero_state(len(batch.fresh), self.device)
        # The state of a resumed run was loaded to the CPU; `with_fresh` moves it.
        return zero if state is None else with_fresh(state, zero, batch.fresh)

    def losses(self, batch: Batch, state: State) -> tuple[Tensor, Tensor, State]:
        """Return the summed nats of the sampled targets, their number, and the state after the window."""
        targets = batch.rows[:, 1:].reshape(-1)
        dtype = product_dtype(self.recipe.precision, self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            logits, state = self.model(batch.rows[:, :-1], state)
        sampled = self.sampled[targets]  # type: ignore[index]
        nats = functional.cross_entropy(logits.flatten(0, 1).float(), targets, reduction="none")
        return (nats * sampled).sum(), sampled.sum(), detach(state)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        trainer, recipe = self.trainer, self.recipe
        if batch.first not in self.carried and self._restored:
            self.carried[batch.first] = lanes_of(self._restored, batch.first, len(batch.fresh))
        if not self._under_way:
            self._nats = torch.zeros((), device=self.device)
            self._sampled = reduce_all(torch.tensor(float(max(1, batch.sampled)), device=self.device))
        if recipe.dropout:
            # Dropout is a function of the position, like the data: a resumed run drops the same activations.
            torch.manual_seed(int(np.random.SeedSequence([recipe.seed, batch.step, batch.first]).generate_state(1)[0]))
        state = self._fresh(self.carried.get(batch.first), batch)
        total, count, self.carried[batch.first] = self.losses(batch, state)
        self._nats += total.detach()
        if isinstance(self.model, Rwkv6Experts):
            imbalance = self.model.imbalance()
            self.log("imbalance", imbalance.detach())
            total = total + recipe.balance * count * imbalance
        self._under_way = not batch.ends
        if batch.ends:
            self.next_step = batch.step + 1
            loss = reduce_all(self._nats) / self._sampled
            if not bool(torch.isfinite(loss)):  # before it changes the weights
                raise DivergedError(f"the loss of step {batch.step + 1} is not finite")
            self.log("loss", loss)
            self.log("bits", loss / math.log(2))
            self.log("rate", recipe.rate * recipe.rate_at(self.global_step))
        # The trainer averages over slices and devices; the loss is the mean over all their sampled targets.
        return total * (recipe.slices * trainer.world_size) / self._sampled

    def on_validation_epoch_start(self) -> None:
        self._validation_sums.zero_()
        self.carried_validation = None

    def validation_step(self, batch: Batch, _: int) -> None:
        total, count, self.carried_validation = self.losses(batch, self._fresh(self.carried_validation, batch))
        self._validation_sums += torch.tensor([float(total), float(count)], dtype=torch.float64)

    def on_validation_epoch_end(self) -> None:
        nats, count = reduce_all(self._validation_sums.to(self.device)).tolist()
        self.log("val_bits", nats / max(1.0, count) / math.log(2))

    def on_before_optimizer_step(self, _: torch.optim.Optimizer) -> None:
        # Lightning's own clipping rejects fused optimizers. (DeepSpeed does its own clipping; see `train.loop.fit`.)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        if not bool(torch.isfinite(norm)):
            raise DivergedError(f"the gradient of step {self.next_step} is not finite")

    def configure_optimizers(self) -> Any:
        matrices = [p for p in self.model.parameters() if p.squeeze().ndim >= 2]
        rest = [p for p in self.model.parameters() if p.squeeze().ndim < 2]
        optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": self.recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}],
            lr=self.recipe.rate,
            betas=(self.recipe.beta1, self.recipe.beta2),
            eps=self.recipe.eps,
            fused=True,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.recipe.rate_at)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["recipe"] = self.recipe.as_dict()
        checkpoint["next_step"] = self.next_step
        checkpoint["tokens_before"] = self.tokens_before
        checkpoint["carried"] = self._carried_by_all()

    def _carried_by_all(self) -> State:
        """Return the states of all lanes of all devices, in their order. Every device must call this."""
        if not self.carried:
            return self._restored
        mine = join_lanes([self.carried[first] for first in sorted(self.carried)])
        return [tuple(gather(tensor) for tensor in layer) for layer in mine]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.next_step = checkpoint["next_step"]
        self.tokens_before = checkpoint["tokens_before"]
        self._restored = [tuple(layer) for layer in checkpoint["carried"]]
