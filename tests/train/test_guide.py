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
RECIPE = re.sub(r"^```.*?^```$", "", GUIDE, flags=re.MULTILINE | re.DOTALL)
TOKENS = 30_000
"""Tokens to train on; the guide's recipe has more."""


def commands() -> list[list[str]]:
    """Return the commands of the guide's first section in order."""
    return [shlex.split(line, comments=True) for line in re.findall(r"^ {4}(\S.*)$", RECIPE, re.MULTILINE)]


def program(words: list[str]) -> list[str]:
    """Return `words` as a command that runs with this interpreter and the modules of the checkout."""
    if words[0] == "python":
        return [sys.executable, *words[1:]]
    return [sys.executable, "-m", *words] if words[0] == "radio" else words


@pytest.mark.slow
def test_the_guide_leads_from_files_to_a_station(tmp_path: Path) -> None:
    (config,) = re.findall(r"^```yaml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    (tmp_path / "mine.yaml").write_text(config)
    (tmp_path / "configs").mkdir()
    recipe = (ROOT / "configs" / "tiny.yaml").read_text()
    shorter = re.sub(r"^tokens: .*$", f"tokens: {TOKENS}", recipe, flags=re.MULTILINE)
    (tmp_path / "configs" / "tiny.yaml").write_text(shorter)

    assert len(commands()) == 8
    for words in commands():
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        ran = subprocess.run(
            program(words), check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
        )
        assert ran.returncode == 0, f"{shlex.join(words)}\n{ran.stdout}\n{ran.stderr}"
        assert "Traceback" not in ran.stderr

    card = json.loads((tmp_path / "mine.json").read_text())
    assert card["recipe"]["corpus"] == "mine"
    assert card["validation"]["bits"] < 12
    assert (tmp_path / "mine.mp3").stat().st_size > 100_000


def test_the_recipe_reads_the_corpus_that_the_guide_prepares() -> None:
    prepared = next(words for words in commands() if words[3:5] == ["prepare", "folder"])
    assert f"corpus: {prepared[6]}\n" in (ROOT / "configs" / "tiny.yaml").read_text()
