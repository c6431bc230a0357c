from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "training.md").read_text().partition("## Your own music")[2].partition("\n## ")[0]
TOKENS = 30_000
"""Trained on here, where the guide has minutes."""


def commands() -> list[list[str]]:
    """The guide's own, in its order."""
    return [shlex.split(line) for line in re.findall(r"^ {4}((?:radio|python) .*)$", GUIDE, re.MULTILINE)]


@pytest.mark.slow
def test_the_guide_leads_from_files_to_a_station(tmp_path: Path) -> None:
    (config,) = re.findall(r"^```yaml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    (tmp_path / "mine.yaml").write_text(config)
    (tmp_path / "configs").mkdir()
    (tmp_path / "my-midi").mkdir()
    recipe = (ROOT / "configs" / "tiny.yaml").read_text()
    shorter = re.sub(r"^tokens: .*$", f"tokens: {TOKENS}", recipe, flags=re.MULTILINE)
    (tmp_path / "configs" / "tiny.yaml").write_text(shorter)

    written = commands()
    assert len(written) == 7
    for words in written:
        program = [sys.executable, *words[1:]] if words[0] == "python" else [sys.executable, "-m", *words]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        ran = subprocess.run(
            program, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
        )
        assert ran.returncode == 0, f"{shlex.join(words)}\n{ran.stdout}\n{ran.stderr}"
        assert "Traceback" not in ran.stderr

    card = json.loads((tmp_path / "mine.json").read_text())
    assert card["recipe"]["corpus"] == "mine"
    assert card["validation"]["bits"] < 12
    assert (tmp_path / "mine.mp3").stat().st_size > 100_000


def test_the_recipe_of_the_guide_takes_the_corpus_of_the_guide() -> None:
    prepared = next(words for words in commands() if words[3:5] == ["prepare", "folder"])
    assert f"corpus: {prepared[6]}\n" in (ROOT / "configs" / "tiny.yaml").read_text()
