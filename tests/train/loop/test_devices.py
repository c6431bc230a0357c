from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import yaml

from radio.errors import ModelError, SettingsError
from tests.train.runs import assert_same
from train.loop import devices
from train.loop.batches import share_of
from train.loop.fit import fit
from train.loop.recipe import Recipe
from train.loop.stored_run import stored_run


def command(recipe: Recipe, run: Path, *more: str) -> list[str]:
    path = run.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(recipe.as_dict()))
    return [sys.executable, "-m", "train", "fit", str(path), str(run), *more]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_every_lane_is_read_by_one_device_in_order(ranks: int) -> None:
    assert [lane for rank in range(ranks) for lane in share_of(8, rank, ranks)] == list(range(8))


@pytest.mark.slow
def test_two_processes_train_as_one_and_resume(recipe: Recipe, tmp_path: Path) -> None:
    # The rate is small because Adam scales rounding differences from other orders of summation by it.
    recipe = replace(recipe, lanes=4, tokens=60 * 4 * 64, rate=3e-4, validate_every=30, checkpoint_every=1)
    two = ["--devices", "2"]
    ran = subprocess.run(
        command(recipe, tmp_path / "two", *two), check=True, timeout=300, capture_output=True, text=True
    )
    assert ran.stderr.startswith("from step 0 of 60 on 2 × cpu\nstep "), "no other output of Lightning"

    process = subprocess.Popen(command(recipe, tmp_path / "cut", *two), stderr=subprocess.PIPE, text=True)
    last = tmp_path / "cut" / "last.ckpt"
    try:
        while process.poll() is None and not last.exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)  # only to the first process, which must stop the other one
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 128 + signal.SIGTERM, errors
    stored = torch.load(last, weights_only=True)
    assert 0 < stored["next_step"] < recipe.steps, errors
    assert all(len(tensor) == recipe.lanes for layer in stored["carried"] for tensor in layer)

    shutil.copytree(tmp_path / "cut", tmp_path / "alone")
    subprocess.run(command(recipe, tmp_path / "cut", *two), check=True, timeout=300)
    assert_same(tmp_path / "cut" / "last.ckpt", tmp_path / "two" / "last.ckpt")
    # One device gives the same result up to the order of summation, from the start or resumed from two.
    one = fit(recipe, tmp_path / "one", progress=False)
    assert_same(tmp_path / "two" / "last.ckpt", one, within=1e-4)
    assert_same(fit(recipe, tmp_path / "alone", progress=False), one, within=1e-4)


def test_lanes_that_do_not_divide_evenly_are_an_error(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"--devices 3: 4 lanes in 1 slices cannot be divided evenly"):
        devices.open_strategy("ddp", 3, replace(recipe, lanes=4))
    with pytest.raises(SettingsError, match="4 lanes in 2 slices cannot"):
        devices.open_strategy("ddp", 4, replace(recipe, lanes=4, slices=2))
    monkeypatch.setattr(devices, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"run pip install -e '\.\[deepspeed\]'"):
        devices.open_strategy("deepspeed", 2, recipe)


def test_reading_a_deepspeed_checkpoint_names_the_missing_package(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "last.ckpt" / "checkpoint").mkdir(parents=True)
    monkeypatch.setitem(sys.modules, "deepspeed", None)
    with pytest.raises(SettingsError, match="this run was started with --strategy deepspeed"):
        fit(recipe, tmp_path, progress=False)
    with pytest.raises(ModelError, match=r"last\.ckpt: written by DeepSpeed, .* run pip install -e '\.\[deepspeed\]'"):
        stored_run(tmp_path / "last.ckpt")


@pytest.mark.slow
@pytest.mark.skipif(
    not torch.cuda.is_available() or find_spec("deepspeed") is None, reason="DeepSpeed trains on CUDA GPUs only"
)
def test_deepspeed_trains_as_one_device_and_resumes(recipe: Recipe, tmp_path: Path) -> None:
    sharded, whole = tmp_path / "sharded", fit(recipe, tmp_path / "whole", progress=False)
    subprocess.run(command(recipe, sharded, "--strategy", "deepspeed"), check=True, timeout=600)
    expected = stored_run(whole).state_dict
    for name, tensor in stored_run(sharded / "last.ckpt").state_dict.items():
        torch.testing.assert_close(tensor, expected[name].cpu(), rtol=0, atol=1e-4, msg=name)
    longer = replace(recipe, tokens=recipe.tokens + 2 * 64)
    subprocess.run(command(longer, sharded, "--strategy", "deepspeed"), check=True, timeout=600)
    assert stored_run(sharded / "last.ckpt").next_step == longer.steps
