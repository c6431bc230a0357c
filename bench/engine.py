"""The decode engine beside the `rwkv` package and beside what memory allows: the same weights, one core, in turn.

The weights are random: speed asks for no more.
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
"""Of work for each side in each round."""
_RUN = 1_000
_RUNS = 20


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's shape, and what is asked of the engine there."""

    spec: Rwkv6Spec
    peer: float
    """Times the speed of the `rwkv` package."""
    memory: float | None = None
    """Per cent of what reading the weights alone would allow."""
    batch: float | None = None
    """Times one stream's tokens, in a batch of `STREAMS`."""


SHAPES = {
    "20 × 512": Shape(Rwkv6Spec(20, 512, 2176), peer=6, memory=80, batch=3),
    "6 × 256": Shape(Rwkv6Spec(6, 256, 2176), peer=17),
}
"""The reference thesis's model, and one whose weights stay in a cache."""


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Every figure of the engine; of the station, nothing is used but the effort.

    Raises:
        ModelError: the native engine was not compiled.
    """
    if not native_engine.paths():
        raise ModelError(f"the native engine was not compiled ({native_engine.missing_reason()})")
    for name, shape in SHAPES.items():
        yield from _one_model(name, shape, _SECONDS * setup.effort)
    late = _late_to_early(round(LATE * min(1, setup.effort)))
    yield Measurement("the millionth token's time to the thousandth's, 2 × 128", late, "×", 1.05, at_most=True)


def random_model(spec: Rwkv6Spec, seed: int = 0) -> Checkpoint:
    """A model of that shape whose numbers stay in range over any length."""
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
        made = checkpoint.read(path)  # mapped, as on air; the pages outlive their name
    packed = made.packed()
    # What a step must read: all but the embedding, of which it reads a row.
    size = sum(array.nbytes for each, array in packed.tensors.items() if not each.startswith(EMBEDDING))
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
        f"{name}, int8, one stream, to the rwkv package", one / peer, "×", shape.peer,
        absolute=f"{speed}; {shown(peer, 'tokens/s')} (cpu fp32, one thread)",
    )  # fmt: skip
    yield Measurement(
        f"{name}, int8, one stream, of what memory allows", 100 * one * size / read, "%", shape.memory,
        absolute=f"{speed}; {size / 1e6:.1f} MB a token, one core reads {read / 1e9:.1f} GB/s",
    )  # fmt: skip
    yield Measurement(
        f"{name}, int8, {STREAMS} streams in a batch, to one", batch / one, "×", shape.batch,
        absolute=f"{shown(batch, 'tokens/s')}; {speed}",
    )  # fmt: skip


def _for(seconds: Seconds, work: Work) -> Work:
    """`work` over and over until that much processor time has gone."""

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
    """Reading that many bytes and nothing else, bytes a second."""
    memory = np.ones(size, np.int8)

    def read() -> float:
        native_engine.read_memory(memory)
        return size

    return _for(seconds, read)


def _peer(plain: Checkpoint, seconds: Seconds) -> Work:
    """The `rwkv` package over the same weights, `cpu fp32`, on one thread."""
    os.environ.update(RWKV_JIT_ON="1", RWKV_CUDA_ON="0")  # it looks at them when it is imported
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
    """Time a token takes from number `late` on to that from the thousandth on: the best of several runs each."""
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
