"""A training recipe: one YAML file in `configs/`, read into frozen settings that are checked when built."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import yaml

from radio.errors import SettingsError, did_you_mean
from radio.model.spec.architectures import ARCHITECTURES
from radio.music.parts import PARTS, Part
from train.loop.schedule import CURVES, share_at

_POSITIVE = (
    "layers", "width", "tokens", "lanes", "window", "rate", "eps", "clip", "slices", "validate_every",
    "checkpoint_every",
)  # fmt: skip
_AT_LEAST_0 = ("louder", "warmup", "weight_decay", "threads", "seed")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a run's weights depend on. Where it is computed, on how many devices, is no part of it.

    part: `piano` or `drums`. corpus: folder that `train prepare` wrote. architecture: `rwkv6`, or another of
    `radio.model.engines.architectures`. layers, width: the model's size (for RWKV, width a multiple of 64). dropout:
    0–1.
    lanes, window: batch size and tokens per window. louder: by how many velocity bins at most, either way, a piece is
    moved when it is drawn; 0 where velocities were arranged (stage `touch`). tokens: how many to train on.

    rate: peak learning rate. warmup: steps up to it. schedule: how it falls then, `wsd` (only in the last
    `decay_share` of the run), `cosine`, `linear` or `exponential`. end_share: what is left of the peak at the end, 0–1.

    beta1, beta2, eps: AdamW's. weight_decay: on matrices only. clip: largest gradient norm. precision: `32-true`, or
    `bf16-mixed`, which multiplies matrices in bfloat16 and keeps weights, sums and the recurrence in float32. (Weights
    in bfloat16 are not offered: an update by less than a 500th of a weight would be rounded away.)

    For models that do not fit, the same step in less memory: checkpoint_blocks forgets what happens inside a layer and
    computes it anew on the way back, a third more work for a memory that hardly grows with the layers; slices works
    through a step's lanes in so many parts, one after the other.

    threads: CPU threads of a process, 0 for all. seed: of weights, order and dropout. validate_every,
    checkpoint_every: steps.
    """

    part: str
    corpus: str
    layers: int
    width: int
    tokens: int
    architecture: str = "rwkv6"
    dropout: float = 0.0
    lanes: int = 16
    window: int = 256
    louder: int = 1
    rate: float = 1.5e-3
    warmup: int = 50
    schedule: str = "wsd"
    decay_share: float = 0.3
    end_share: float = 0.02
    beta1: float = 0.9
    beta2: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.05
    clip: float = 1.0
    precision: str = "bf16-mixed"
    checkpoint_blocks: bool = False
    slices: int = 1
    threads: int = 0
    seed: int = 1
    validate_every: int = 250
    checkpoint_every: int = 100

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise SettingsError(f"part: '{self.part}' is not one of {', '.join(PARTS)}")
        if self.architecture not in ARCHITECTURES:
            hint = did_you_mean(self.architecture, list(ARCHITECTURES))
            raise SettingsError(f"architecture: '{self.architecture}' is not one of {', '.join(ARCHITECTURES)}.{hint}")
        wrong = [f"{name}: {getattr(self, name)} must be above 0" for name in _POSITIVE if getattr(self, name) <= 0]
        wrong += [
            f"{name}: {getattr(self, name)} must be at least 0 and below 1"
            for name in ("dropout", "beta1", "beta2")
            if not 0 <= getattr(self, name) < 1
        ]
        wrong += [
            f"{name}: {getattr(self, name)} must lie between 0 and 1"
            for name in ("decay_share", "end_share")
            if not 0 <= getattr(self, name) <= 1
        ]
        wrong += [f"{name}: {getattr(self, name)} is below 0" for name in _AT_LEAST_0 if getattr(self, name) < 0]
        if self.schedule not in CURVES:
            hint = did_you_mean(self.schedule, list(CURVES))
            wrong.append(f"schedule: '{self.schedule}' is not one of {', '.join(CURVES)}.{hint}")
        if self.schedule == "exponential" and self.end_share == 0:
            wrong.append("end_share: a rate that falls exponentially never gets to 0")
        if self.precision not in ("32-true", "bf16-mixed"):
            wrong.append(f"precision: '{self.precision}' is not 32-true or bf16-mixed")
        if self.slices > 0 and self.lanes % self.slices:
            wrong.append(f"slices: {self.lanes} lanes cannot be worked through in {self.slices} equal parts")
        if wrong:
            raise SettingsError(wrong)

    @property
    def steps(self) -> int:
        """Optimiser steps in the whole run."""
        return max(1, self.tokens // (self.lanes * self.window))

    @property
    def played(self) -> Part:
        return PARTS[self.part]

    def rate_at(self, step: int) -> float:
        """Share of the peak rate at `step`."""
        return share_at(
            step,
            schedule=self.schedule,
            steps=self.steps,
            warmup=self.warmup,
            decay_share=self.decay_share,
            end_share=self.end_share,
        )

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}


def load(path: Path) -> Recipe:
    """Read a recipe. Raises SettingsError naming every unknown or missing key."""
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: cannot be read as YAML ({error})") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: a recipe is a mapping of settings")
    known = {field.name: field for field in fields(Recipe)}
    problems = [
        f"{path}: there is no setting '{key}'.{did_you_mean(str(key), list(known))}"
        for key in values
        if key not in known
    ]
    required = ("part", "corpus", "layers", "width", "tokens")
    problems += [f"{path}: '{name}' is missing" for name in required if name not in values]
    for name, value in values.items():
        if isinstance(value, str) and name in known and known[name].type == "float":
            with suppress(ValueError):  # YAML 1.1 takes 3e-4, without a point, for a word
                values[name] = float(value)
    for name, value in values.items():
        if name in known:
            wanted = _TYPES[str(known[name].type)]
            if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
                problems.append(f"{path}: {name}: {value!r} is not {known[name].type}")
    if problems:
        raise SettingsError(problems)
    try:
        return Recipe(**values)
    except SettingsError as error:
        raise SettingsError([f"{path}: {problem}" for problem in error.problems]) from None
