"""`python -m train fit`: train by a recipe, go on after a kill, start from shipped weights."""

from __future__ import annotations

import ctypes
import logging
import warnings
from pathlib import Path

import lightning
import torch
import yaml
from lightning.pytorch.callbacks import Callback

from kernels import cpu_train
from radio.errors import ModelError, SettingsError
from radio.model.weights.checkpoint import read as read_checkpoint
from train.data import binidx
from train.data.vocabulary import RowTable, known_tokens
from train.loop.batches import TokenData
from train.loop.checkpoint_io import AtomicCheckpointIO
from train.loop.checkpointing import LAST, Checkpointing
from train.loop.devices import strategy as chosen_strategy
from train.loop.logs import loggers
from train.loop.module import TrainingModule
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
    """Train into the folder `run` and return its newest checkpoint.

    A run that was stopped or killed goes on from `run`/last.ckpt, on as many devices as are named this time. Written
    there: recipe.yaml as resolved, log/, last.ckpt (every `checkpoint_every` steps, and when the run is stopped) and
    best.ckpt (the lowest validation bits).

    Args:
        initial: exported safetensors to start a new run's weights from.
        devices, strategy: how many GPUs (processes, where there is none), and how they share the work.
        wandb: a project of Weights & Biases to log to as well.

    Raises:
        SettingsError: the corpus is missing or too small, or the run cannot go on by this recipe.
        ModelError: `initial` is of another shape, or last.ckpt is not a checkpoint.
        StoppedError: SIGINT or SIGTERM came; the checkpoint is written.
    """
    sharing = chosen_strategy(strategy, devices, recipe)
    _quieten()
    prepare_machine(recipe)
    table = RowTable(recipe.played, known_tokens(recipe.played))
    corpus = Path(recipe.corpus)
    training, validation = binidx.read(corpus / "train"), binidx.read(corpus / "validation")
    weights = binidx.read_weights(corpus / "train", len(training))
    if not training or not validation:
        raise SettingsError(f"{corpus}: both a train and a validation piece are needed to fit")
    lightning.seed_everything(recipe.seed, verbose=False)
    module = TrainingModule(recipe, table)
    last = run / LAST
    if last.exists():
        if initial is not None:
            raise SettingsError(f"{run}: holds a run already; new weights need a new folder")
        module.next_step = _resumable(last, recipe, strategy)
    elif initial is not None:
        _start_from(module, initial)
    run.mkdir(parents=True, exist_ok=True)
    (run / "recipe.yaml").write_text(yaml.safe_dump(recipe.as_dict(), sort_keys=False))

    callbacks: list[Callback] = [Checkpointing(run, recipe.checkpoint_every)]
    if progress:
        callbacks.append(ProgressReport(recipe.lanes * recipe.window))
    trainer = lightning.Trainer(
        accelerator="auto",
        devices=devices,
        strategy=sharing,
        plugins=[] if strategy == "deepspeed" else [AtomicCheckpointIO()],
        precision="32-true",  # of weights and optimiser; what is computed in bfloat16 the module says
        max_steps=recipe.steps,
        accumulate_grad_batches=recipe.slices,
        gradient_clip_val=recipe.clip if strategy == "deepspeed" else None,
        val_check_interval=recipe.validate_every * recipe.slices,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        logger=loggers(run, recipe, module.next_step, wandb),
        callbacks=callbacks,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(
        module,
        datamodule=TokenData(recipe, table, training, validation, start=module.next_step, weights=weights),
        ckpt_path=str(last) if last.exists() else None,
        weights_only=True,
    )
    trainer.save_checkpoint(last)
    return last


def _quieten() -> None:
    """Lightning's advertisements, and its warnings of what is meant as it is."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for meant in ("does not have many workers", "LeafSpec", "treespec", "`IterableDataset`", "sync_dist=True"):
        warnings.filterwarnings("ignore", message=f".*{meant}")


def prepare_machine(recipe: Recipe) -> None:
    """Set threads and memory as training is fastest."""
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    torch.set_flush_denormal(True)
    if not torch.cuda.is_available() and not cpu_train.available():
        print(f"Training on a CPU is slower than it could be: {cpu_train.missing_reason()}")
    # Every step frees and asks for the same tens of megabytes; without this, glibc gives them back to the kernel and
    # each step pays for the page faults again.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        mmap_max, trim_threshold = -4, -1
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)


def _resumable(last: Path, recipe: Recipe, strategy: str) -> int:
    """The step to go on at. Raises SettingsError where the recipe no longer fits what the run has done so far."""
    if last.is_dir() != (strategy == "deepspeed"):
        raise SettingsError(f"{last}: was{' ' if last.is_dir() else ' not '}written by DeepSpeed; go on as it began")
    before = stored_run(last)
    changed = [
        f"{name}: {getattr(before.recipe, name)} in the run, {getattr(recipe, name)} in the recipe"
        for name in ("part", "architecture", "layers", "width", "lanes", "window", "louder", "seed")
        if getattr(before.recipe, name) != getattr(recipe, name)
    ]
    if changed:
        raise SettingsError([f"{last}: cannot go on by a recipe that changed; a new folder starts anew", *changed])
    return before.next_step


def _start_from(module: TrainingModule, path: Path) -> None:
    checkpoint = read_checkpoint(path)
    weights = {name: torch.from_numpy(array.copy()) for name, array in checkpoint.weights.items()}
    if checkpoint.spec.architecture != module.recipe.architecture:
        raise ModelError(f"{path}: a {checkpoint.spec.title} where the recipe asks for {module.model.spec.title}")
    wanted = {name: tuple(tensor.shape) for name, tensor in module.model.state_dict().items()}
    if wanted != {name: tuple(tensor.shape) for name, tensor in weights.items()}:
        raise ModelError(f"{path}: its shape ({checkpoint.spec}) is not the recipe's ({module.model.spec})")
    module.model.load_state_dict(weights)
    seen = checkpoint.card.get("tokens_trained", 0)
    module.tokens_before = seen if isinstance(seen, int) else 0
