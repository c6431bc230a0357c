"""Which devices a run is computed on, and what they tell each other."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch import Tensor, distributed

from radio.errors import SettingsError
from train.loop.recipe import Recipe

STRATEGIES = ("ddp", "deepspeed")


def strategy(name: str, devices: int, recipe: Recipe) -> Strategy | str:
    """How `devices` GPUs, or processes where there is none, share a run: each reads its part of the lanes.

    Args:
        name: `ddp`, every device with the whole model, or `deepspeed`, whose stage 2 keeps of the optimiser's state and
            of the gradients only a part on each (Rajbhandari et al., "ZeRO", arXiv 1910.02054).

    Raises:
        SettingsError: there are no such devices, the lanes cannot be dealt out, or DeepSpeed is missing.
    """
    problems = []
    if name not in STRATEGIES:
        problems.append(f"--strategy: '{name}' is not one of {', '.join(STRATEGIES)}")
    if devices < 1 or recipe.lanes % (max(1, devices) * recipe.slices):
        problems.append(
            f"--devices {devices}: {recipe.lanes} lanes in {recipe.slices} slices cannot be dealt out evenly to them"
        )
    gpus = torch.cuda.device_count()
    if gpus and devices > gpus:
        problems.append(f"--devices {devices}: this machine has {gpus} GPUs")
    if name == "deepspeed" and find_spec("deepspeed") is None:
        problems.append("--strategy deepspeed: DeepSpeed is not installed; pip install -e '.[deepspeed]' brings it")
    elif name == "deepspeed" and not gpus:
        problems.append("--strategy deepspeed: it needs CUDA GPUs, and this machine has none")
    if problems:
        raise SettingsError(problems)
    if name == "deepspeed":
        from lightning.pytorch.strategies import DeepSpeedStrategy

        return DeepSpeedStrategy(stage=2)
    if devices == 1:
        return "auto"
    return DDPStrategy(forward_sync_buffers=False, gradient_as_bucket_view=True)


def over_all(value: Tensor, operation: distributed.ReduceOp.RedOpType = distributed.ReduceOp.SUM) -> Tensor:
    """The sum (or another `operation`) of what every device's process has. All of them must ask for it."""
    value = value.clone()
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(value, operation)
    return value


def gathered(value: Tensor) -> Tensor:
    """What every device's process has, joined along the first axis in the processes' order. All must ask for it."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return value
    each = [torch.empty_like(value) for _ in range(distributed.get_world_size())]
    distributed.all_gather(each, value.contiguous())
    return torch.cat(each)
