from __future__ import annotations

from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from train.loop import progress
from train.loop.batches import Batch
from train.loop.progress import ProgressReport


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def trainer(**changes: object) -> Any:
    device = SimpleNamespace(root_device=SimpleNamespace(type="cpu"))
    defaults = {
        "global_step": 3, "max_steps": 8, "world_size": 2, "is_global_zero": True, "strategy": device,
        "callback_metrics": {"bits": 2.5},
    }  # fmt: skip
    return SimpleNamespace(**defaults | changes)


def batch(step: int, *, ends: bool = True) -> Batch:
    return Batch(torch.zeros(1, 2), torch.zeros(1), step, ends=ends)


def report(file: StringIO, run: Any, *batches: Batch) -> str:
    callback = ProgressReport(1_000, file)
    callback.on_train_start(run, None)  # type: ignore[arg-type]
    for item in batches:
        callback.on_train_batch_end(run, None, None, item, 0)  # type: ignore[arg-type]
    callback.teardown(run, None, "fit")  # type: ignore[arg-type]
    return file.getvalue()


def test_a_log_file_gets_the_start_and_the_last_step() -> None:
    lines = report(StringIO(), trainer(), batch(4), batch(7, ends=False), batch(7)).splitlines()
    assert lines[0] == "from step 3 of 8 on 2 × cpu"
    assert lines[1].startswith("step 8 of 8: ")
    assert "bits 2.500, 0:00:00 left" in lines[1]
    assert len(lines) == 2


def test_a_log_file_gets_a_line_when_one_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    lines = report(StringIO(), trainer(), batch(4), batch(5, ends=False), batch(5)).splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == ["step 5 of 8", "step 6 of 8"]


def test_a_terminal_gets_a_bar() -> None:
    text = report(Terminal(), trainer(), batch(7))
    assert text.startswith("from step 3 of 8 on 2 × cpu\n")
    assert "step 8 of 8" in text
    assert "tokens/s, bits 2.500" in text


@pytest.mark.parametrize("file", [StringIO, Terminal])
def test_only_the_first_device_reports(file: type[StringIO]) -> None:
    assert report(file(), trainer(is_global_zero=False), batch(7)) == ""
