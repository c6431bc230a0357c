from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from radio.errors import SettingsError
from radio.model.engines.base import Engine
from radio.model.engines.native_engine import NativeEngine
from radio.model.engines.numpy_rwkv6 import NumpyRwkv6Engine
from radio.model.engines.numpy_rwkv7 import NumpyRwkv7Engine
from radio.model.spec.rwkv import Rwkv7Spec
from radio.model.weights import checkpoint as checkpoints
from tests.model.models import checkpoint, random_checkpoint
from train.export.convert import convert


def test_conversion_changes_only_the_number_format(tmp_path: Path) -> None:
    source, out = tmp_path / "fp32.safetensors", tmp_path / "int8.safetensors"
    checkpoints.write(source, checkpoint(), "fp32")
    convert(source, out, "int8")
    assert out.stat().st_size < 0.35 * source.stat().st_size
    back = checkpoints.read(out)
    assert back.packed().weight_format == "int8"
    assert (back.part, back.spec, back.tokens, back.card) == (
        checkpoint().part,
        checkpoint().spec,
        checkpoint().tokens,
        checkpoint().card,
    )
    with pytest.raises(SettingsError, match=r"unsupported file type; use \.safetensors or \.pth"):
        convert(source, tmp_path / "model.onnx", "int8")


@pytest.mark.slow
def test_the_rwkv_package_reads_a_converted_model_and_predicts_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Step 512 tokens with the rwkv package and with each of our engines."""
    monkeypatch.setitem(os.environ, "RWKV_JIT_ON", "0")
    monkeypatch.setitem(os.environ, "RWKV_CUDA_ON", "0")
    from rwkv.model import RWKV

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads that wait for each other are many times slower on a busy machine
    made = checkpoint(layers=3, width=128)
    source = tmp_path / "model.safetensors"
    checkpoints.write(source, made, "fp32")
    convert(source, tmp_path / "model.pth", "int8")
    peer = RWKV(model=str(tmp_path / "model"), strategy="cpu fp32")
    capsys.readouterr()  # the package prints every tensor
    rows = np.random.default_rng(3).integers(made.spec.vocabulary, size=512).tolist()
    engines: list[Engine] = [NumpyRwkv6Engine(made), NativeEngine(made)]
    states = [engine.zero_state() for engine in engines]
    theirs = None
    for row in rows:
        expected, theirs = peer.forward([row], theirs)
        for place, engine in enumerate(engines):
            logits, states[place] = engine.step([row], states[place])
            np.testing.assert_allclose(logits, expected.numpy(), atol=1e-3)
    torch.set_num_threads(threads)


PEER_7 = """
import sys
import numpy, torch
from rwkv.model import RWKV
torch.set_num_threads(1)
rows = numpy.load(sys.argv[2]).tolist()
logits, _ = RWKV(model=sys.argv[1], strategy="cpu fp32").forward(rows, None, full_output=True)
numpy.save(sys.argv[3], logits.numpy())
"""
"""Runs in a separate process, because the package chooses RWKV-7 when it is imported."""


@pytest.mark.slow
def test_the_rwkv_package_reads_a_converted_rwkv_7_and_predicts_the_same(tmp_path: Path) -> None:
    made = random_checkpoint(Rwkv7Spec(3, 128, 837))
    checkpoints.write(tmp_path / "model.safetensors", made, "fp32")
    convert(tmp_path / "model.safetensors", tmp_path / "model.pth", "int8")
    rows = np.random.default_rng(3).integers(837, size=512)
    np.save(tmp_path / "rows.npy", rows)
    arguments = [str(tmp_path / name) for name in ("model", "rows.npy", "logits.npy")]
    environment = os.environ | {"RWKV_V7_ON": "1", "PYTORCH_JIT": "0", "RWKV_CUDA_ON": "0"}
    subprocess.run([sys.executable, "-c", PEER_7, *arguments], env=environment, capture_output=True, check=True)
    engines: list[Engine] = [NumpyRwkv7Engine(made), NativeEngine(made)]
    states = [engine.zero_state() for engine in engines]
    for row, expected in zip(rows.tolist(), np.load(tmp_path / "logits.npy"), strict=True):
        for place, engine in enumerate(engines):
            logits, states[place] = engine.step([row], states[place])
            np.testing.assert_allclose(logits, expected, atol=1e-3)
