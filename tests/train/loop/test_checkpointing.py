from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

from tests.train.runs import assert_same
from train.loop.checkpointing import Checkpointing, StoppedError
from train.loop.fit import fit
from train.loop.logs import curve
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe


@pytest.mark.parametrize(
    ("number", "step", "validated"),
    [
        (signal.SIGINT, 5, [3]),
        pytest.param(signal.SIGTERM, 4, [3], marks=pytest.mark.slow),
        (signal.SIGTERM, 8, [3, 7]),
    ],
)
def test_a_signal_ends_a_run_after_the_current_step_and_its_validation_and_the_run_resumes(
    recipe: Recipe, tmp_path: Path, number: signal.Signals, step: int, validated: list[int]
) -> None:
    original, before = TrainingModule.training_step, signal.getsignal(number)

    def training_step_with_signal(self: TrainingModule, batch, index):
        if batch.step == step - 1:
            os.kill(os.getpid(), number)
        return original(self, batch, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingModule, "training_step", training_step_with_signal)
        with pytest.raises(
            StoppedError, match=f"stopped after step {step} of 8; the same command continues"
        ) as stopped:
            fit(replace(recipe, checkpoint_every=100), tmp_path / "cut", progress=False)
    assert stopped.value.signal == number
    assert signal.getsignal(number) == before
    assert torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)["next_step"] == step
    assert [place for place, _ in curve(tmp_path / "cut")] == validated
    assert_same(fit(recipe, tmp_path / "cut", progress=False), fit(recipe, tmp_path / "whole", progress=False))


def test_the_best_checkpoint_is_the_one_with_the_fewest_bits(tmp_path: Path) -> None:
    written: list[tuple[str, float]] = []
    trainer = SimpleNamespace(callback_metrics={}, world_size=1)
    trainer.save_checkpoint = lambda path: written.append((path.name, trainer.callback_metrics["val_bits"]))
    checkpointing = Checkpointing(tmp_path, every=10, validate_every=10)
    for bits in (3.0, 2.0, 2.5, 1.5):
        trainer.callback_metrics["val_bits"] = bits
        checkpointing.on_validation_end(trainer, None)  # type: ignore[arg-type]
    assert written == [("best.ckpt", 3.0), ("best.ckpt", 2.0), ("best.ckpt", 1.5)]
    resumed = Checkpointing(tmp_path, every=10, validate_every=10)
    resumed.load_state_dict(checkpointing.state_dict())
    trainer.callback_metrics["val_bits"] = 2.0
    resumed.on_validation_end(trainer, None)  # type: ignore[arg-type]
    assert len(written) == 3


def started(recipe: Recipe, run: Path) -> subprocess.Popen[str]:
    """Start `train fit` in a separate process."""
    path = run.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(recipe.as_dict()))
    return subprocess.Popen(
        [sys.executable, "-m", "train", "fit", str(path), str(run)], stderr=subprocess.PIPE, text=True
    )


def wait_for_checkpoint(process: subprocess.Popen[str], run: Path, since: float = 0.0) -> None:
    last = run / "last.ckpt"
    while process.poll() is None and not (last.exists() and last.stat().st_mtime > since):
        time.sleep(0.01)


@pytest.mark.slow
def test_a_killed_process_leaves_a_run_that_resumes(recipe: Recipe, tmp_path: Path) -> None:
    recipe = replace(recipe, tokens=60 * 2 * 64, validate_every=30, checkpoint_every=1)
    process = started(recipe, tmp_path / "cut")
    wait_for_checkpoint(process, tmp_path / "cut")
    process.kill()
    process.communicate(timeout=180)
    assert process.returncode == -signal.SIGKILL
    assert_same(fit(recipe, tmp_path / "cut", progress=False), fit(recipe, tmp_path / "whole", progress=False))


@pytest.mark.slow
def test_a_stopped_command_explains_how_to_resume_and_exits_by_the_signal(recipe: Recipe, tmp_path: Path) -> None:
    run, written = tmp_path / "run", 0.0
    for number in (signal.SIGTERM, signal.SIGINT):
        process = started(replace(recipe, tokens=10**7), run)
        try:
            wait_for_checkpoint(process, run, written)
            process.send_signal(number)
            _, errors = process.communicate(timeout=180)
        finally:
            process.kill()
        assert process.returncode == 128 + number, errors
        assert "the same command continues from" in errors
        assert "Traceback" not in errors
        written = (run / "last.ckpt").stat().st_mtime
