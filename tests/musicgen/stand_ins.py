"""Stand-ins for the MusicGen process, and folders that look like its weights."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from radio.musicgen import generating, weights

_READ = "import json, os, shutil, signal, sys, time; order = json.load(sys.stdin)\n"


def stand_in(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Run `program` instead of MusicGen, with the request in `order`."""
    monkeypatch.setattr(generating, "COMMAND", (sys.executable, "-c", _READ + program))
    monkeypatch.setattr(weights, "PACKAGES", ("onnxruntime",))


def weights_folder(path: Path, kind: str = "musicgen") -> Path:
    """Write a folder that looks like one with weights, and return it."""
    path.mkdir()
    (path / "config.json").write_text(json.dumps({"model_type": kind}))
    (path / "model.safetensors").write_bytes(b"weights")
    return path
