from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from tests.train.runs import assert_same
from train.loop.checkpointing import StoppedError
from train.loop.fit import fit
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_finishes_its_step_and_goes_on_later(
    recipe: Recipe, tmp_path: Path, number: signal.Signals
) -> None:
    original, before = TrainingModule.training_step, signal.getsignal(number)

    def asked(self: TrainingModule, batch, index):
        if batch.step == 4:
            os.kill(os.getpid(), number)
        return original(self, batch, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingModule, "training_step", asked)
        with pytest.raises(StoppedError, match="stopped after step 5 of 8; the same command goes on") as stopped:
            fit(replace(recipe, checkpoint_every=100), tmp_path / "cut", progress=False)
    assert stopped.value.signal == number
    assert signal.getsignal(number) == before
    assert torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)["next_step"] == 5
    assert_same(fit(recipe, tmp_path / "cut", progress=False), fit(recipe, tmp_path / "whole", progress=False))


def started(recipe: Recipe, run: Path) -> subprocess.Popen[str]:
    """The command itself, in a process of its own."""
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
def test_a_process_that_is_killed_leaves_what_goes_on(recipe: Recipe, tmp_path: Path) -> None:
    recipe = replace(recipe, tokens=60 * 2 * 64, validate_every=30, checkpoint_every=1)
    process = started(recipe, tmp_path / "cut")
    wait_for_checkpoint(process, tmp_path / "cut")
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert_same(fit(recipe, tmp_path / "cut", progress=False), fit(recipe, tmp_path / "whole", progress=False))


@pytest.mark.slow
def test_the_command_says_how_to_go_on_and_ends_as_a_signal_does(recipe: Recipe, tmp_path: Path) -> None:
    run, held = tmp_path / "run", 0.0
    for number in (signal.SIGTERM, signal.SIGINT):
        process = started(replace(recipe, tokens=10**7), run)
        try:
            wait_for_checkpoint(process, run, held)
            process.send_signal(number)
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == 128 + number, told
        assert "the same command goes on from" in told
        assert "Traceback" not in told
        held = (run / "last.ckpt").stat().st_mtime
