"""The benchmark measures parts that exist."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_every_stage_gets_a_figure(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--seconds", "0.02", "--json", str(tmp_path / "bench.json")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    written = json.loads((tmp_path / "bench.json").read_text())
    figures = {each["stage"]: each["value"] for each in written["figures"]}
    assert len(figures) == 12
    assert all(value > 0 for value in figures.values())
    assert figures["the whole station"] > 1
    assert all(stage in result.stdout for stage in figures)
