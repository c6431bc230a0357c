"""The decode engine compared with the `rwkv` package and the memory bandwidth: same weights, one core, in turn.

The weights are random, which does not affect the speed.
"""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.measurement import BenchmarkSetup, Measurement, shown
from bench.timers import Work, in_turn, timed
from radio.errors import ModelError
from radio.model.engines import native_engine
from radio.model.engines.base import Engine, State
from radio.model.engines.native_engine import NativeEngine
from radio.model.spec.rwkv import EMBEDDING, Rwkv6Spec
from radio.model.weights import checkpoint
from radio.model.weights.checkpoint import Checkpoint
from radio.music.parts import PIANO
from radio.types import Seconds

STREAMS = 8
EARLY, LATE = 1_000, 1_000_000
_SECONDS: Seconds = 0.5
"""The length of each measurement in one round."""
_RUN = 1_000
_RUNS = 20


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a model, and the targets for the engine."""

    spec: Rwkv6Spec
    peer: float
    """The target as a multiple of the `rwkv` package's speed."""
    memory: float | None = None
    """The target in percent of the speed at which the weights can be read from memory."""
    batch: float | None = None
    """The target for a batch of `STREAMS`, as a multiple of one stream's speed."""


SHAPES = {
    "20 × 512": Shape(Rwkv6Spec(20, 512, 2176), peer=6, memory=80, batch=3),
    "6 × 256": Shape(Rwkv6Spec(6, 256, 2176), peer=17),
}
"""The reference thesis's model, and one whose weights fit into a cache."""


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Measure the engine. Only the effort of `setup` is used.

    Raises:
        ModelError: The native engine is not compiled.
    """
    if not native_engine.paths():
        raise ModelError(f"the native engine is not compiled ({native_engine.missing_reason()})")
    for name, shape in SHAPES.items():
        yield from _one_model(name, shape, _SECONDS * setup.effort)
    late = _late_to_early(round(LATE * min(1, setup.effort)))
    yield Measurement("time of the millionth token to that of the thousandth, 2 × 128", late, "×", 1.05, at_most=True)


def random_model(spec: Rwkv6Spec, seed: int = 0) -> Checkpoint:
    """Return a model with random weights whose values stay in range for any number of tokens."""
    generator = np.random.default_rng(seed)
    weights = {}
    for name, shape in spec.shapes().items():
        if ".ln" in f".{name}" and name.endswith("weight"):
            array = np.ones(shape)
        elif name.endswith("time_decay"):
            array = generator.uniform(-6, -1, shape)
        else:
            array = generator.normal(0, 1 / np.sqrt(shape[-1]), shape)
        weights[name] = array.astype(np.float32)
    return Checkpoint(PIANO, spec, tuple(range(spec.vocabulary)), weights, {})


def _one_model(name: str, shape: Shape, seconds: Seconds) -> Iterator[Measurement]:
    plain = random_model(shape.spec)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        checkpoint.write(path, plain, "int8")
        made = checkpoint.read(path)  # memory-mapped as on air; the pages stay readable after the file is removed
    packed = made.packed()
    # A step reads all weights except the embedding, where it reads one row.
    size = sum(array.nbytes for tensor, array in packed.tensors.items() if not tensor.startswith(EMBEDDING))
    sides = [
        _stepping(NativeEngine(made), seconds),
        _batching(NativeEngine(made), seconds),
        _reading(size, seconds),
        _peer(plain, seconds),
    ]
    for side in sides:
        side()
    one, batch, read, peer = in_turn(*map(timed, sides))
    speed = shown(one, "tokens/s")
    yield Measurement(
        f"{name}, int8, one stream, against the rwkv package", one / peer, "×", shape.peer,
        absolute=f"{speed}; {shown(peer, 'tokens/s')} (cpu fp32, one thread)",
    )  # fmt: skip
    yield Measurement(
        f"{name}, int8, one stream, share of the memory bandwidth", 100 * one * size / read, "%", shape.memory,
        absolute=f"{speed}; {size / 1e6:.1f} MB per token, one core reads {read / 1e9:.1f} GB/s",
    )  # fmt: skip
    yield Measurement(
        f"{name}, int8, {STREAMS} streams in a batch, against one", batch / one, "×", shape.batch,
        absolute=f"{shown(batch, 'tokens/s')}; {speed}",
    )  # fmt: skip


def _for(seconds: Seconds, work: Work) -> Work:
    """Return a workload that repeats `work` for `seconds` of processor time."""

    def run() -> float:
        began, done = time.process_time(), 0.0
        while time.process_time() - began < seconds:
            done += work()
        return done

    return run


def _stepping(engine: Engine, seconds: Seconds) -> Work:
    state, row = engine.zero_state(), 0

    def step() -> float:
        nonlocal state, row
        _, state = engine.step([row], state)
        row = (row + 1) % len(engine.tokens)
        return 1

    return _for(seconds, step)


def _batching(engine: Engine, seconds: Seconds) -> Work:
    states: Sequence[State] = [engine.zero_state()] * STREAMS
    row = 0

    def step() -> float:
        nonlocal states, row
        _, states = engine.step_batch([(row + stream) % len(engine.tokens) for stream in range(STREAMS)], states)
        row += STREAMS
        return STREAMS

    return _for(seconds, step)


def _reading(size: int, seconds: Seconds) -> Work:
    """Return a workload that only reads `size` bytes."""
    memory = np.ones(size, np.int8)

    def read() -> float:
        native_engine.read_memory(memory)
        return size

    return _for(seconds, read)


def _peer(plain: Checkpoint, seconds: Seconds) -> Work:
    """Return a workload that runs the `rwkv` package with the same weights, strategy `cpu fp32`, on one thread."""
    os.environ.update(RWKV_JIT_ON="1", RWKV_CUDA_ON="0")  # read when the package is imported
    import torch

    torch.set_num_threads(1)
    with TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        from rwkv.model import RWKV

        path = Path(folder) / "model"
        torch.save({name: torch.from_numpy(array) for name, array in plain.weights.items()}, f"{path}.pth")
        model = RWKV(model=str(path), strategy="cpu fp32")
    state: Any = None

    def step() -> float:
        nonlocal state
        _, state = model.forward([5], state)
        return 1

    return _for(seconds, step)


def _late_to_early(late: int) -> float:
    """Return the time per token after token `late` divided by that after the thousandth, both the best of several."""
    engine = NativeEngine(random_model(Rwkv6Spec(2, 128, 2176)), weight_format="int8")
    generator = np.random.default_rng(1)
    state, fed, least = engine.zero_state(), 0, {EARLY: float("inf"), late: float("inf")}
    while fed < late + _RUNS * _RUN:
        rows = generator.integers(len(engine.tokens), size=_RUN).tolist()
        began = time.process_time()
        _, state = engine.step(rows, state)
        took = (time.process_time() - began) / _RUN
        for mark, best in least.items():
            if mark <= fed < mark + _RUNS * _RUN:
                least[mark] = min(best, took)
        fed += _RUN
    return least[late] / least[EARLY]
