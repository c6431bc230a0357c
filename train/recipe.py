"""A training recipe: one YAML file in `configs/`, read into frozen settings that are checked when built."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import yaml

from radio.errors import SettingsError, nearest
from radio.model.architectures import ARCHITECTURES
from radio.music.parts import PARTS, Part


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a run depends on.

    part: `piano` or `drums`. corpus: folder that `train prepare` wrote. architecture: `rwkv6`, or another of
    `radio.model.architectures`. layers, width: the model's size (for RWKV, width a multiple of 64). dropout: 0–1.
    lanes, window: batch size and tokens per window. louder: by how many velocity bins at most, either way, a piece is
    moved when it is drawn; 0 where velocities were arranged (stage `touch`). tokens: how many to train on.
    rate: peak learning rate. warmup: steps up to it. decay_share: the last share of the run, in which the rate falls
    linearly to a fiftieth (warm-up, stable, decay: Hu et al., "MiniCPM", arXiv 2404.06395). weight_decay: on
    matrices only. clip: largest gradient norm. precision: Lightning's word for it. threads: CPU threads, 0 for all.
    seed: of weights, order and dropout. validate_every, checkpoint_every: steps.
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
    decay_share: float = 0.3
    weight_decay: float = 0.05
    clip: float = 1.0
    precision: str = "bf16-mixed"
    threads: int = 0
    seed: int = 1
    validate_every: int = 250
    checkpoint_every: int = 100

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise SettingsError(f"part: '{self.part}' is not one of {', '.join(PARTS)}")
        if self.architecture not in ARCHITECTURES:
            hint = nearest(self.architecture, list(ARCHITECTURES))
            raise SettingsError(f"architecture: '{self.architecture}' is not one of {', '.join(ARCHITECTURES)}.{hint}")
        positive = ("layers", "width", "tokens", "lanes", "window", "rate", "validate_every", "checkpoint_every")
        wrong = [f"{name}: {getattr(self, name)} must be above 0" for name in positive if getattr(self, name) <= 0]
        if self.louder < 0:
            wrong.append(f"louder: {self.louder} must be 0 or more bins")
        if self.precision not in ("32-true", "bf16-mixed"):
            wrong.append(f"precision: '{self.precision}' is not 32-true or bf16-mixed")
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
        rising = min(1.0, (step + 1) / max(1, self.warmup))
        decay_steps = max(1.0, self.decay_share * self.steps)
        falling = max(0.02, min(1.0, (self.steps - step) / decay_steps))
        return rising * falling

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}


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
        f"{path}: there is no setting '{key}'.{nearest(str(key), list(known))}" for key in values if key not in known
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
            if not isinstance(value, wanted) or isinstance(value, bool):
                problems.append(f"{path}: {name}: {value!r} is not {known[name].type}")
    if problems:
        raise SettingsError(problems)
    try:
        return Recipe(**values)
    except SettingsError as error:
        raise SettingsError([f"{path}: {problem}" for problem in error.problems]) from None
