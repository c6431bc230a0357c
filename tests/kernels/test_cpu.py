"""The decode engine without Python, under sanitizers and on an emulated processor."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from radio.model.engines.native_engine import NativeEngine, NativeSpec, sizes
from radio.model.spec.experts import ExpertsSpec
from radio.model.spec.rwkv import Rwkv6Spec, Rwkv7Spec
from radio.model.weights.packing import WEIGHT_FORMATS, WeightFormat, packed_shapes
from tests.model.models import random_checkpoint

ROOT = Path(__file__).parents[2]
STREAMS, STEPS = 11, 6
"""More streams than the tile of any path holds, and not a multiple of it."""
SPECS: tuple[NativeSpec, ...] = (
    Rwkv6Spec(2, 128, 437, mix_rank=20, decay_rank=40),
    Rwkv7Spec(2, 128, 437, decay_rank=20, rate_rank=33, value_rank=3, gate_rank=50),
    ExpertsSpec(2, 128, 437, mix_rank=20, decay_rank=40, experts=5, active=2),
)


def build(out: Path, compiler: str, *options: str) -> Path:
    """Compile the driver with all paths of the engine."""
    python_sources = ("memory.c", "module.c")
    sources = [path for path in sorted((ROOT / "kernels" / "cpu").glob("*.c")) if path.name not in python_sources]
    standard = ["-std=gnu11", "-ffp-contract=fast", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'kernels' / 'cpu'}"]
    driver = Path(__file__).with_name("driver.c")
    command = [compiler, *standard, *options, *map(str, sources), str(driver), "-lm", "-o", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return out


def write_input(path: Path, spec: NativeSpec, weight_format: WeightFormat) -> np.ndarray:
    """Write a model and rows for the driver. Return the expected logits (steps, streams, V), computed in Python."""
    model = random_checkpoint(spec)
    packed = model.packed(weight_format)
    arrays = [packed.tensors[name] for name in packed_shapes(spec, weight_format)]
    head = [SPECS.index(spec), *sizes(spec), 0, 0][:9]
    rows = np.random.default_rng(5).integers(spec.vocabulary, size=(STEPS, STREAMS)).astype(np.int32)
    with path.open("wb") as file:
        file.write(struct.pack("<11i", *head, WEIGHT_FORMATS.index(weight_format), len(arrays)))
        for array in arrays:
            file.write(struct.pack("<Q", array.nbytes) + array.tobytes())
        file.write(struct.pack("<2i", STREAMS, STEPS) + rows.tobytes())
    engine = NativeEngine(model, path="portable", weight_format=weight_format)
    states, all_logits = [engine.zero_state()] * STREAMS, []
    for row in rows.tolist():
        logits, states = engine.step_batch(row, states)
        all_logits.append(logits)
    return np.array(all_logits)


def run(command: Sequence[str]) -> bytes:
    result = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert (result.returncode, result.stderr.decode()) == (0, "")
    return result.stdout


def check_all_paths(driver: Sequence[str], folder: Path) -> list[str]:
    """Check all paths with all weight formats. Return the names of the paths."""
    paths = run([*driver, "-", "list"]).decode().split()
    for spec, weight_format in product(SPECS, WEIGHT_FORMATS):
        model = folder / f"{spec.architecture}-{weight_format}"
        expected = write_input(model, spec, weight_format)
        for path in paths:
            logits = np.frombuffer(run([*driver, str(model), path]), np.float32).reshape(expected.shape)
            # int8: paths may round an input that is halfway between two steps differently
            tolerance = 1e-4 if weight_format != "int8" else 0.05 * expected.std()
            np.testing.assert_allclose(
                logits, expected, atol=tolerance, rtol=tolerance, err_msg=f"{path}, {model.name}"
            )
            assert np.median(np.abs(logits - expected)) < 1e-4
    return paths


@pytest.mark.slow
def test_sanitizers_report_no_errors(tmp_path: Path) -> None:
    """Run all paths of this processor under AddressSanitizer and UndefinedBehaviorSanitizer."""
    options = ("-g", "-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    driver = build(tmp_path / "driver", "gcc", *options)
    assert "portable" in check_all_paths([str(driver)], tmp_path)


@pytest.mark.slow
def test_arm_paths_agree_with_the_portable_path(tmp_path: Path) -> None:
    """Emulate a processor with the dot product instruction and one without."""
    compiler, emulator = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
    if not compiler or not emulator:
        pytest.skip("apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user")
    driver = str(build(tmp_path / "driver", compiler, "-O2", "-static"))
    assert check_all_paths([emulator, "-cpu", "max", driver], tmp_path) == ["dotprod", "neon", "portable"]
    assert check_all_paths([emulator, "-cpu", "cortex-a72", driver], tmp_path) == ["neon", "portable"]
