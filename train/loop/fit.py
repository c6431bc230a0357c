"""Train from a recipe, resume a run, or start from exported weights."""

from __future__ import annotations

import ctypes
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import lightning
import torch
import yaml
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from kernels import cpu_train
from radio.errors import ModelError, SettingsError
from radio.model.weights.checkpoint import read as read_checkpoint
from radio.music.vocab import is_control
from radio.types import TokenId
from train.data import shared_trunk
from train.data.shared_trunk import SHARED
from train.loop.batches import TokenData
from train.loop.checkpoint_io import AtomicCheckpointIO
from train.loop.checkpointing import LAST, Checkpointing
from train.loop.devices import open_strategy
from train.loop.logs import open_loggers
from train.loop.module import DivergedError, TrainingModule
from train.loop.precision import product_dtype
from train.loop.progress import ProgressReport
from train.loop.recipe import Recipe
from train.loop.stored_run import stored_run


def fit(
    recipe: Recipe,
    run: Path,
    *,
    initial: Path | None = None,
    devices: int = 1,
    strategy: str = "ddp",
    wandb: str | None = None,
    progress: bool = True,
) -> Path:
    """Train into the folder `run`, and return its last checkpoint.

    A run that was stopped or killed resumes from `run`/last.ckpt, on any number of devices. The folder then contains
    recipe.yaml with all defaults, log/, last.ckpt (every `checkpoint_every` steps, and when the run is stopped) and
    best.ckpt (the lowest validation bits).

    Args:
        initial: Exported safetensors with the initial weights of a new run.
        devices: The number of GPUs, or of processes on a machine without GPUs.
        strategy: `ddp` or `deepspeed`, by which the devices share the work; see `train.loop.devices`.
        wandb: A project of Weights & Biases to log to as well.

    Raises:
        SettingsError: The corpus is missing or too small, or the run cannot continue with this recipe.
        ModelError: `initial` has another shape, or last.ckpt is not a checkpoint.
        DivergedError: The loss is not finite; last.ckpt has the weights of an earlier step.
        StoppedError: SIGINT or SIGTERM arrived; the checkpoint is written.
    """
    lightning_strategy = open_strategy(strategy, devices, recipe)
    _silence_lightning()
    prepare_machine(recipe)
    table = shared_trunk.table_of(recipe.part)
    corpus = shared_trunk.read(recipe.part, Path(recipe.corpus))
    if not corpus.training or not corpus.validation:
        raise SettingsError(
            f"{recipe.corpus}: training needs at least one piece in train and one in validation; `train prepare` holds "
            "out one of four files or more"
        )
    lightning.seed_everything(recipe.seed, verbose=False)
    module = TrainingModule(recipe, table)
    last = run / LAST
    if last.exists():
        if initial is not None:
            raise SettingsError(f"{run}: already contains a run; new weights need a new folder")
        module.next_step = _resume_step(last, recipe, strategy)
    elif initial is not None:
        _load_initial_weights(module, initial, table.tokens)
    run.mkdir(parents=True, exist_ok=True)
    (run / "recipe.yaml").write_text(yaml.safe_dump(recipe.as_dict(), sort_keys=False))

    callbacks: list[Callback] = [Checkpointing(run, recipe.checkpoint_every, validate_every=recipe.validate_every)]
    if progress:
        callbacks.append(ProgressReport(recipe.lanes * recipe.window))
    trainer = lightning.Trainer(
        accelerator="auto",
        devices=devices,
        strategy=lightning_strategy,
        plugins=[] if strategy == "deepspeed" else [AtomicCheckpointIO()],
        precision="32-true",  # of weights and optimizer; the module computes in bfloat16 by autocast
        max_steps=recipe.steps,
        accumulate_grad_batches=recipe.slices,
        gradient_clip_val=recipe.clip if strategy == "deepspeed" else None,
        val_check_interval=recipe.validate_every * recipe.slices,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        logger=open_loggers(run, recipe, module.next_step, wandb),
        callbacks=callbacks,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    try:
        trainer.fit(
            module,
            datamodule=TokenData(recipe, table, corpus, start=module.next_step),
            ckpt_path=str(last) if last.exists() else None,
            weights_only=True,
        )
    except DivergedError as error:
        stays = f"{last} holds step {stored_run(last).next_step:,}" if last.exists() else "there is no checkpoint yet"
        raise DivergedError(
            f"{run}: {error}; {stays}. Use a lower rate, or a longer warmup, in a new folder"
        ) from error
    trainer.save_checkpoint(last)
    return last


def _silence_lightning() -> None:
    """Silence Lightning's advertisements, and its warnings about intended behavior."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in ("does not have many workers", "LeafSpec", "treespec", "`IterableDataset`", "sync_dist=True"):
        warnings.filterwarnings("ignore", message=f".*{message}")


def prepare_machine(recipe: Recipe) -> None:
    """Set the threads and the allocator for the fastest training."""
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    torch.set_flush_denormal(True)
    if not torch.cuda.is_available() and not cpu_train.available():
        print(f"Training on a CPU is slower than it could be: {cpu_train.missing_reason()}")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if recipe.precision == "bf16-mixed" and product_dtype(recipe.precision, device) == torch.float32:
        print("This machine has no bfloat16 in hardware; matrix products are computed in float32.")
    # Every step frees and allocates the same tens of megabytes. By default glibc returns them to the kernel, and each
    # step pays for the page faults again.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        mmap_max, trim_threshold = -4, -1
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)


def _resume_step(last: Path, recipe: Recipe, strategy: str) -> int:
    """Return the step to resume at. Raises SettingsError if the run's earlier steps do not fit the recipe."""
    if last.is_dir() != (strategy == "deepspeed"):
        strategy = "deepspeed" if last.is_dir() else "ddp"
        raise SettingsError(f"{last}: this run was started with --strategy {strategy}; continue it with the same")
    before = stored_run(last)
    changed = [
        f"{name}: {getattr(before.recipe, name)} in the run, {getattr(recipe, name)} in the recipe"
        for name in (
            *("part", "architecture", "layers", "width", "head_size", "context", "experts", "active"),
            *("lanes", "window", "louder", "seed"),
        )
        if getattr(before.recipe, name) != getattr(recipe, name)
    ]
    if changed:
        raise SettingsError([f"{last}: the run cannot continue with a changed recipe; use a new folder", *changed])
    return before.next_step


def _load_initial_weights(module: TrainingModule, path: Path, tokens: Sequence[TokenId]) -> None:
    if module.recipe.part == SHARED:
        raise SettingsError(f"{path}: a shared trunk starts from new weights; leave out --from")
    checkpoint = read_checkpoint(path)
    weights = {name: torch.from_numpy(array.copy()) for name, array in checkpoint.weights.items()}
    if checkpoint.part == module.recipe.played:
        for name in ("emb.weight", "head.weight"):
            weights[name] = _rows_for(tokens, checkpoint.tokens, weights[name])
    if checkpoint.spec.architecture != module.recipe.architecture:
        raise ModelError(f"{path}: it is a {checkpoint.spec.title}, and the recipe is for {module.model.spec.title}")
    shapes = {name: tuple(tensor.shape) for name, tensor in module.model.state_dict().items()}
    if shapes != {name: tuple(tensor.shape) for name, tensor in weights.items()}:
        raise ModelError(f"{path}: its shape ({checkpoint.spec}) is not the recipe's ({module.model.spec})")
    module.model.load_state_dict(weights)
    seen = checkpoint.card.get("tokens_trained", 0)
    module.tokens_before = seen if isinstance(seen, int) else 0


def _rows_for(tokens: Sequence[TokenId], stored: Sequence[TokenId], rows: Tensor) -> Tensor:
    """Return one row for each of `tokens`; a token that is not `stored` starts as the mean of all stored controls."""
    place = {token: row for row, token in enumerate(stored)}
    mean = rows[[row for row, token in enumerate(stored) if is_control(token)]].mean(0)
    return torch.stack([rows[place[token]] if token in place else mean for token in tokens])
