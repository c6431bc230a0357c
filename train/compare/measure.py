"""Measure finished runs side by side: what they learnt, how fast they learn and play, what they must remember."""

from __future__ import annotations

import math
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
from train.compare.training import finished, rates_tried
from train.data import binidx
from train.data.vocabulary import RowTable, known_tokens
from train.loop.checkpointing import LAST
from train.loop.logs import curve
from train.loop.module import TrainingModule
from train.loop.stored_run import load_module
from train.metrics.evaluate import model_figures


@dataclass(frozen=True, slots=True)
class Throughput:
    """Tokens a second of an engine, at the hundredth token and at the ten-thousandth."""

    engine: str
    early: float
    late: float


@dataclass(frozen=True, slots=True)
class ModelResult:
    """A run's figures.

    bits, accuracy: per sampled token of the whole validation split. rate: the run's, of `rates` tried, each with the
    validation bits of its short run. curve: (training tokens, validation bits). training: tokens a second. numpy, air:
    generating, by the plain engine in float32 and by the one that a station takes, over int8. early_bytes, late_bytes:
    the state after 100 and 10,000 tokens.
    """

    name: str
    title: str
    layers: int
    width: int
    parameters: int
    tokens: int
    rate: float
    rates: Mapping[str, float]
    bits: float
    accuracy: float
    curve: Sequence[tuple[int, float]]
    training: float
    numpy: Throughput
    air: Throughput
    early_bytes: int
    late_bytes: int


class _FinishedRun:
    """A finished run, opened: its module, its validation split, and its engines where their speed is taken."""

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
            air = open_engine(checkpoint.read(path))  # mapped: the pages outlive their name
        self.air = speed.playing(air, speed.piece(self.validation, self.table))
        # a state of one engine is one of the other's, too
        self.numpy = replace(self.air, engine=open_numpy_engine(plain))

    def works(self) -> dict[str, Workload]:
        """Generating by either engine, early and late."""
        return {
            f"{self.name} {kind} {when}": work
            for kind, model in (("numpy", self.numpy), ("air", self.air))
            for when, work in zip(("early", "late"), model.works(), strict=True)
        }

    def row(self, training: float, paces: Mapping[str, float]) -> ModelResult:
        """All of it, with the speeds that were taken of `works`, in turn with those of others."""
        spec = self.module.model.spec
        figures = model_figures(self.module, self.validation, self.table)
        per_step = self.recipe.lanes * self.recipe.window
        numpy, air = (
            Throughput(model.kind, paces[f"{self.name} {kind} early"], paces[f"{self.name} {kind} late"])
            for kind, model in (("numpy", self.numpy), ("air", self.air))
        )
        return ModelResult(
            name=self.name,
            title=spec.title,
            layers=spec.layers,
            width=spec.width,
            parameters=sum(math.prod(shape) for shape in spec.shapes().values()),
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
    """The rows of finished runs by their names, the fewest bits first.

    Raises:
        SettingsError: a run is not at its end, or numpy may take more than one thread.
        ModelError: a run's checkpoint cannot be read.
    """
    speed.require_one_thread()
    torch.set_num_threads(1)
    if missing := [name for name, run in runs.items() if not finished(run)]:
        raise SettingsError(f"{', '.join(missing)}: not trained to the end; without --train, `train compare` does it")
    subjects = [_FinishedRun(name, run) for name, run in runs.items()]
    learning = speed.in_turn({each.name: speed.training(each.recipe) for each in subjects}, rounds=speed.ROUNDS)
    works: dict[str, Workload] = {}
    for each in subjects:
        works |= each.works()
    paces = speed.in_turn(works, rounds=speed.ROUNDS)
    return sorted((each.row(learning[each.name], paces) for each in subjects), key=lambda row: row.bits)
