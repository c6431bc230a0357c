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
from train.fit import fit
from train.keeping import StoppedError
from train.module import Fit
from train.recipe import Recipe


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_finishes_its_step_and_goes_on_later(
    recipe: Recipe, tmp_path: Path, number: signal.Signals
) -> None:
    original, before = Fit.training_step, signal.getsignal(number)

    def asked(self: Fit, batch, index):
        if batch.step == 4:
            os.kill(os.getpid(), number)
        return original(self, batch, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fit, "training_step", asked)
        with pytest.raises(StoppedError, match="stopped after step 5 of 8; the same command goes on") as stopped:
            fit(replace(recipe, checkpoint_every=100), tmp_path / "cut", progress=False)
    assert stopped.value.signal == number
    assert signal.getsignal(number) == before
    assert torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)["next_step"] == 5
    assert_same(fit(recipe, tmp_path / "cut", progress=False), fit(recipe, tmp_path / "whole", progress=False))


@pytest.mark.slow
def test_the_command_says_how_to_go_on_and_ends_as_a_signal_does(recipe: Recipe, tmp_path: Path) -> None:
    path, run = tmp_path / "recipe.yaml", tmp_path / "run"
    path.write_text(yaml.safe_dump(replace(recipe, tokens=10**7).as_dict()))
    command = [sys.executable, "-m", "train", "fit", str(path), str(run)]
    for number in (signal.SIGTERM, signal.SIGINT):
        held = (run / "last.ckpt").stat().st_mtime if number == signal.SIGINT else 0.0
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            while process.poll() is None and not ((run / "last.ckpt").exists() and steps(run, held)):
                time.sleep(0.05)
            process.send_signal(number)
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == 128 + number, told
        assert "the same command goes on from" in told
        assert "Traceback" not in told


def steps(run: Path, since: float) -> bool:
    return (run / "last.ckpt").stat().st_mtime > since
