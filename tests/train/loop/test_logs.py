from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from radio.errors import SettingsError
from train.loop import logs
from train.loop.fit import fit
from train.loop.logs import curve, open_loggers
from train.loop.progress import RunProgress
from train.loop.recipe import Recipe


def test_tensorboard_and_csv_agree_for_a_resumed_run(recipe: Recipe, tmp_path: Path) -> None:
    run = tmp_path / "run"
    fit(replace(recipe, tokens=recipe.tokens // 2), run, progress=False)
    fit(recipe, run, progress=False)
    events = EventAccumulator(str(run / "log" / "tensorboard"))
    events.Reload()
    shown = {event.step: event.value for event in events.Scalars("val_bits")}
    assert shown == pytest.approx(dict(curve(run)), abs=1e-4)
    assert len(shown) == 2


def test_a_missing_weights_and_biases_package_is_an_error(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"run pip install -e '\.\[wandb\]'"):
        open_loggers(tmp_path, recipe, 0, "project")


def test_a_missing_key_of_weights_and_biases_is_an_error(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SettingsError, match=r"--wandb: there is no key; run `wandb login`"):
        open_loggers(tmp_path / "run", recipe, 0, "project")


@pytest.mark.slow
def test_weights_and_biases_logs_offline(recipe: Recipe, tmp_path: Path) -> None:
    path, run = tmp_path / "recipe.yaml", tmp_path / "run"
    path.write_text(yaml.safe_dump(recipe.as_dict()))
    subprocess.run(
        [sys.executable, "-m", "train", "fit", str(path), str(run), "--wandb", "radio"],
        env=os.environ | {"WANDB_MODE": "offline", "WANDB_SILENT": "true"},
        check=True,
        timeout=300,
    )
    (log,) = (run / "wandb").glob("offline-run-*/run-*.wandb")
    assert b"val_bits" in log.read_bytes()


def test_speed_and_time_left_count_from_this_start() -> None:
    progress = RunProgress(first=100, done=150, steps=250, begun=10.0, now=20.0, tokens_per_step=4096)
    assert progress.tokens_per_second == 50 * 4096 / 10
    assert progress.seconds_left == 20
    words = progress.describe({"bits": 2.25, "val_bits": 2.5, "loss": 1.6})
    assert words == "20,480 tokens/s, bits 2.250, validation 2.500, 0:00:20 left"


def test_a_log_file_gets_plain_lines(recipe: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(recipe, tmp_path / "run")
    first, last = capsys.readouterr().err.splitlines()
    assert first == "from step 0 of 8 on 1 × cpu"
    assert re.fullmatch(r"step 8 of 8: [\d,]+ tokens/s, bits \d\.\d{3}, validation \d\.\d{3}, 0:00:00 left", last)


def test_a_terminal_gets_a_progress_bar(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    fit(recipe, tmp_path / "run")
    shown = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "step 8 of 8" in shown
    assert "tokens/s" in shown
