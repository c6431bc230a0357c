"""Measurements of finished runs: bits, speed of training and generating, and size of the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from radio.errors import SettingsError
from radio.model.engines.numpy_engines import open_numpy_engine
from radio.model.engines.selection import open_engine
from radio.model.weights import checkpoint
from radio.model.weights.checkpoint import Checkpoint
from train.compare import speed
from train.compare.speed import Workload
from train.compare.training import is_finished, rates_tried
from train.data import binidx
from train.data.vocabulary import RowTable, known_tokens
from train.loop.checkpointing import LAST
from train.loop.logs import curve
from train.loop.module import TrainingModule
from train.loop.stored_run import load_module
from train.metrics.evaluate import model_figures


@dataclass(frozen=True, slots=True)
class Throughput:
    """The speed of an engine in tokens per second."""

    engine: str
    early: float
    """At the hundredth token."""
    late: float
    """At the ten-thousandth token."""


@dataclass(frozen=True, slots=True)
class ModelResult:
    """The measurements of a run."""

    name: str
    title: str
    layers: int
    width: int
    parameters: int
    tokens: int
    rate: float
    """The peak learning rate."""
    rates: Mapping[str, float]
    """The learning rates tried, with the validation bits of their short runs."""
    bits: float
    """Per sampled token of the whole validation split."""
    accuracy: float
    """Per sampled token of the whole validation split."""
    curve: Sequence[tuple[int, float]]
    """(training tokens, validation bits)."""
    training: float
    """Tokens per second."""
    numpy: Throughput
    """Generation with the plain engine in float32."""
    air: Throughput
    """Generation with the engine that a station uses, with int8 weights."""
    early_bytes: int
    """The size of the state after 100 tokens."""
    late_bytes: int
    """The size of the state after 10,000 tokens."""


class _FinishedRun:
    """A finished run with its module, its validation split, and its engines ready for measurement."""

    def __init__(self, name: str, run: Path) -> None:
        self.name, self.run = name, run
        self.module: TrainingModule = load_module(run / LAST)
        self.recipe = self.module.recipe
        part = self.recipe.played
        self.table = RowTable(part, known_tokens(part))
        self.validation = binidx.read(Path(self.recipe.corpus) / "validation")
        weights = {key: tensor.detach().float().numpy() for key, tensor in self.module.model.state_dict().items()}
        plain = Checkpoint(part, self.module.model.spec, self.table.tokens, weights, {})
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            checkpoint.write(path, plain, "int8")
            air = open_engine(checkpoint.read(path))  # memory-mapped: the pages stay readable after the file is removed
        self.air = speed.open_probe(air, speed.piece(self.validation, self.table))
        # both engines have the same states
        self.numpy = replace(self.air, engine=open_numpy_engine(plain))

    def workloads(self) -> dict[str, Workload]:
        """Return workloads that generate with either engine, early and late."""
        return {
            f"{self.name} {kind} {when}": workload
            for kind, model in (("numpy", self.numpy), ("air", self.air))
            for when, workload in zip(("early", "late"), model.workloads(), strict=True)
        }

    def result(self, training: float, speeds: Mapping[str, float]) -> ModelResult:
        """Return the results, with the measured speeds of this run's workloads."""
        spec = self.module.model.spec
        figures = model_figures(self.module, self.validation, self.table)
        per_step = self.recipe.lanes * self.recipe.window
        numpy, air = (
            Throughput(model.kind, speeds[f"{self.name} {kind} early"], speeds[f"{self.name} {kind} late"])
            for kind, model in (("numpy", self.numpy), ("air", self.air))
        )
        return ModelResult(
            name=self.name,
            title=spec.title,
            layers=spec.layers,
            width=spec.width,
            parameters=spec.parameters,
            tokens=self.module.next_step * per_step,
            rate=self.recipe.rate,
            rates={f"{rate:g}": bits for rate, bits in sorted(rates_tried(self.run).items())},
            bits=float(figures["bits"]),  # type: ignore[arg-type]
            accuracy=float(figures["accuracy"]),  # type: ignore[arg-type]
            curve=[((step + 1) * per_step, bits) for step, bits in curve(self.run)],
            training=training,
            numpy=numpy,
            air=air,
            early_bytes=self.numpy.early.memory.nbytes,
            late_bytes=self.numpy.late.memory.nbytes,
        )


def measure(runs: Mapping[str, Path]) -> list[ModelResult]:
    """Measure finished runs, given by name; return the results, fewest bits first.

    Raises:
        SettingsError: A run is not finished, or numpy may use more than one thread.
        ModelError: A run's checkpoint cannot be read.
    """
    speed.require_one_thread()
    torch.set_num_threads(1)
    if missing := [name for name, run in runs.items() if not is_finished(run)]:
        raise SettingsError(f"{', '.join(missing)}: not trained to the end; run `train compare` without --train")
    opened = [_FinishedRun(name, run) for name, run in runs.items()]
    learning = speed.in_turn({run.name: speed.training(run.recipe) for run in opened}, rounds=speed.ROUNDS)
    workloads: dict[str, Workload] = {}
    for run in opened:
        workloads |= run.workloads()
    speeds = speed.in_turn(workloads, rounds=speed.ROUNDS)
    return sorted((run.result(learning[run.name], speeds) for run in opened), key=lambda result: result.bits)
