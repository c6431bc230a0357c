"""The decode engine without Python: under sanitizers, and on another processor."""

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
from radio.model.spec.rwkv import Rwkv6Spec, Rwkv7Spec
from radio.model.weights.packing import WEIGHT_FORMATS, WeightFormat, packed_shapes
from tests.model.models import of_spec

ROOT = Path(__file__).parents[2]
STREAMS, STEPS = 11, 6
"""More streams than any path takes at once, and not a multiple of what it takes."""
SPECS: tuple[NativeSpec, ...] = (
    Rwkv6Spec(2, 128, 437, mix_rank=20, decay_rank=40),
    Rwkv7Spec(2, 128, 437, decay_rank=20, rate_rank=33, value_rank=3, gate_rank=50),
)


def build(out: Path, compiler: str, *options: str) -> Path:
    """Compile the driver with every path of the engine."""
    pythonic = ("memory.c", "module.c")
    sources = [path for path in sorted((ROOT / "kernels" / "cpu").glob("*.c")) if path.name not in pythonic]
    standard = ["-std=gnu11", "-ffp-contract=fast", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'kernels' / 'cpu'}"]
    driver = Path(__file__).with_name("driver.c")
    command = [compiler, *standard, *options, *map(str, sources), str(driver), "-lm", "-o", str(out)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return out


def written(path: Path, spec: NativeSpec, weight_format: WeightFormat) -> np.ndarray:
    """A model and rows as the driver reads them; returns the logits (steps, streams, V) that Python gets for these."""
    made = of_spec(spec)
    packed = made.packed(weight_format)
    arrays = [packed.tensors[name] for name in packed_shapes(spec, weight_format)]
    head = [SPECS.index(spec), *sizes(spec), 0, 0][:9]
    rows = np.random.default_rng(5).integers(spec.vocabulary, size=(STEPS, STREAMS)).astype(np.int32)
    with path.open("wb") as file:
        file.write(struct.pack("<11i", *head, WEIGHT_FORMATS.index(weight_format), len(arrays)))
        for array in arrays:
            file.write(struct.pack("<Q", array.nbytes) + array.tobytes())
        file.write(struct.pack("<2i", STREAMS, STEPS) + rows.tobytes())
    engine = NativeEngine(made, path="portable", weight_format=weight_format)
    states, found = [engine.zero_state()] * STREAMS, []
    for row in rows.tolist():
        logits, states = engine.step_batch(row, states)
        found.append(logits)
    return np.array(found)


def run(command: Sequence[str]) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout


def check_all_paths(driver: Sequence[str], folder: Path) -> list[str]:
    """Run every path over every form; the paths there were."""
    paths = run([*driver, "-", "list"]).decode().split()
    for spec, weight_format in product(SPECS, WEIGHT_FORMATS):
        model = folder / f"{spec.architecture}-{weight_format}"
        expected = written(model, spec, weight_format)
        for path in paths:
            found = np.frombuffer(run([*driver, str(model), path]), np.float32).reshape(expected.shape)
            # int8: an input between two steps may be rounded up here and down there
            tolerance = 1e-4 if weight_format != "int8" else 0.05 * expected.std()
            np.testing.assert_allclose(found, expected, atol=tolerance, rtol=tolerance, err_msg=f"{path}, {model.name}")
            assert np.median(np.abs(found - expected)) < 1e-4
    return paths


def test_sanitizers_find_nothing(tmp_path: Path) -> None:
    """AddressSanitizer and UndefinedBehaviorSanitizer, over every path of this processor."""
    checked = ("-g", "-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    driver = build(tmp_path / "driver", "gcc", *checked)
    assert "portable" in check_all_paths([str(driver)], tmp_path)


@pytest.mark.slow
def test_arm_s_paths_say_the_same(tmp_path: Path) -> None:
    """NEON under emulation, on a processor that has the dot product and on one that has not."""
    compiler, emulator = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
    if not compiler or not emulator:
        pytest.skip("apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user")
    driver = str(build(tmp_path / "driver", compiler, "-O2", "-static"))
    assert check_all_paths([emulator, "-cpu", "max", driver], tmp_path) == ["dotprod", "neon", "portable"]
    assert check_all_paths([emulator, "-cpu", "cortex-a72", driver], tmp_path) == ["neon", "portable"]
