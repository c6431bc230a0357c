"""The torch engine on a GPU: its step as a CUDA graph, compared with the same step launched kernel by kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from bench.measurement import BenchmarkSetup, Measurement, SectionSkipped, shown
from bench.timers import in_turn
from radio.model.engines.base import State
from radio.model.engines.torch_engine import TorchEngine
from radio.model.weights import checkpoint

BATCHES = (1, 16, 256)
STEPS = 100


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Measure tokens per second of wall time, by the number of streams, on the station's piano model.

    Raises:
        SectionSkipped: There is no CUDA device.
    """
    if not torch.cuda.is_available():
        raise SectionSkipped("no CUDA device")
    engine = TorchEngine(checkpoint.read(setup.station.piano))
    steps = max(5, round(STEPS * setup.effort))
    for batch in BATCHES:
        rows = np.random.default_rng(0).integers(len(engine.tokens), size=(steps, batch)).tolist()
        ours, theirs = in_turn(_with_graph(engine, rows), _with_launches(engine, rows))
        name = f"{batch} {'stream' if batch == 1 else 'streams'}"
        yield Measurement(
            f"{name}, a graph against single launches", ours / theirs, "×",
            absolute=f"{shown(ours, 'tokens/s')}; {shown(theirs, 'tokens/s')}",
        )  # fmt: skip


def _with_graph(engine: TorchEngine, rows: list[list[int]]) -> Callable[[], float]:
    """Return a measurement for `in_turn`: tokens per second of wall time, logits fetched after each step as on air."""
    zero: Sequence[State] = [engine.zero_state()] * len(rows[0])
    _, states = engine.step_batch(rows[0], zero)  # captures the graph

    def run() -> float:
        after: Sequence[State] = states
        began = time.perf_counter()
        for row in rows:
            _, after = engine.step_batch(row, after)
        return len(rows) * len(rows[0]) / (time.perf_counter() - began)

    return run


def _with_launches(engine: TorchEngine, rows: list[list[int]]) -> Callable[[], float]:
    """Return the same measurement for the engine's network without its graph."""
    memory = torch.from_numpy(np.stack([engine.zero_state().memory] * len(rows[0]))).to(engine.device)

    def run() -> float:
        after = memory
        began = time.perf_counter()
        with torch.inference_mode():
            for row in rows:
                logits, after = engine._network.step(torch.tensor(row, device=engine.device), after)
                logits.cpu()
        return len(rows) * len(rows[0]) / (time.perf_counter() - began)

    return run
