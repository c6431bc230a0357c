"""The devices of a run, and the sums and states that they exchange."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch import Tensor, distributed

from radio.errors import SettingsError
from train.loop.recipe import Recipe

STRATEGIES = ("ddp", "deepspeed")


def open_strategy(name: str, devices: int, recipe: Recipe) -> Strategy | str:
    """Return Lightning's strategy for sharing the lanes of a run among `devices` GPUs, or processes without GPUs.

    Args:
        name: `ddp` keeps the whole model on every device; `deepspeed` divides the optimizer's state and the gradients
            (stage 2 of Rajbhandari et al., "ZeRO", arXiv 1910.02054).

    Raises:
        SettingsError: There are fewer devices, they do not divide the lanes, or DeepSpeed is not installed.
    """
    problems = []
    if name not in STRATEGIES:
        problems.append(f"--strategy: '{name}' is not one of {', '.join(STRATEGIES)}")
    if devices < 1 or recipe.lanes % (max(1, devices) * recipe.slices):
        problems.append(
            f"--devices {devices}: {recipe.lanes} lanes in {recipe.slices} slices cannot be divided evenly among them"
        )
    gpus = torch.cuda.device_count()
    if gpus and devices > gpus:
        problems.append(f"--devices {devices}: this machine has {gpus} GPUs")
    if name == "deepspeed" and find_spec("deepspeed") is None:
        problems.append("--strategy deepspeed: DeepSpeed is not installed; run pip install -e '.[deepspeed]'")
    elif name == "deepspeed" and not gpus:
        problems.append("--strategy deepspeed: DeepSpeed needs CUDA GPUs, and this machine has none")
    if problems:
        raise SettingsError(problems)
    if name == "deepspeed":
        from lightning.pytorch.strategies import DeepSpeedStrategy

        return DeepSpeedStrategy(stage=2)
    if devices == 1:
        return "auto"
    return DDPStrategy(forward_sync_buffers=False, gradient_as_bucket_view=True)


def reduce_all(value: Tensor, operation: distributed.ReduceOp.RedOpType = distributed.ReduceOp.SUM) -> Tensor:
    """Return the sum (or another `operation`) of every device's value. Every device must call this."""
    value = value.clone()
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(value, operation)
    return value


def gather(value: Tensor) -> Tensor:
    """Return every device's value, joined along the first axis in the devices' order. Every device must call this."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return value
    values = [torch.empty_like(value) for _ in range(distributed.get_world_size())]
    distributed.all_gather(values, value.contiguous())
    return torch.cat(values)
