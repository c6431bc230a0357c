"""Training recipes: YAML files such as those in `configs/`, read into settings that are checked when created."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import yaml

from radio.errors import SettingsError
from radio.model.spec.architectures import ARCHITECTURES
from radio.model.spec.rwkv import HEAD_SIZE
from radio.music.parts import PARTS, Part
from radio.settings.fields import check, choice, declare, flag, number, settings_of, whole
from radio.settings.kinds import Choice, Text, Whole
from radio.settings.reference import table
from radio.settings.yaml_fields import readers
from radio.settings.yaml_reader import Reading
from train.data.shared_trunk import SHARED
from train.loop.schedule import CURVES, share_at

_OF_ONE: Final = {
    "head_size": "transformer",
    "context": "transformer",
    "experts": "rwkv6-experts",
    "active": "rwkv6-experts",
}
"""Settings that only one architecture has."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every setting that a run's weights depend on. The devices of the run are not part of it.

    Raises:
        SettingsError: Names each value that is not allowed, one per line.
    """

    part: str = field(
        metadata=declare(Choice((*PARTS, SHARED)), help="part that the model plays; shared: one trunk of several")
    )
    corpus: str = field(
        metadata=declare(Text(), help="folder that `train prepare` wrote; shared: a folder of such folders")
    )
    layers: int = field(metadata=declare(Whole(low=1), help="layers of the model"))
    width: int = field(metadata=declare(Whole(low=1), help="width of the model; for RWKV a multiple of 64"))
    tokens: int = field(metadata=declare(Whole(low=1), help="tokens to train on"))
    architecture: str = choice("rwkv6", tuple(ARCHITECTURES), help="architecture of the model")
    head_size: int = whole(0, 0, help="channels of a head of a transformer, a divisor of the width; 0 for 32")
    context: int = whole(0, 0, unit="tokens", help="tokens that a transformer attends to; 0 for 256")
    experts: int = whole(0, 0, help="experts in each channel mix of rwkv6-experts; 0 for 4")
    active: int = whole(0, 0, help="experts that compute each token, together as wide as one channel mix; 0 for 1")
    balance: float = number(0.01, low=0, help="weight of the loss that balances the load of the experts")
    dropout: float = number(0.0, low=0, below=1, help="share of activations that are dropped")
    lanes: int = whole(16, 1, help="sequences in a batch; each reads an endless stream of pieces")
    window: int = whole(256, 1, unit="tokens", help="length of each sequence in a batch")
    louder: int = whole(
        1, 0, unit="bins", help="largest random change of a piece's velocities, up or down; 0 for arranged corpora"
    )
    rate: float = number(1.5e-3, above=0, help="peak learning rate")
    warmup: int = whole(50, 0, unit="steps", help="time for the rate to rise to its peak")
    schedule: str = choice("wsd", tuple(CURVES), help="curve of the rate after the warm-up; wsd stays flat first")
    decay_share: float = number(0.3, 0, 1, help="share of the run, at its end, in which a wsd schedule falls")
    end_share: float = number(0.02, 0, 1, help="rate at the last step, as a share of the peak")
    beta1: float = number(0.9, low=0, below=1, help="AdamW's decay of the mean gradient")
    beta2: float = number(0.99, low=0, below=1, help="AdamW's decay of the mean squared gradient")
    eps: float = number(1e-8, above=0, help="AdamW's epsilon")
    weight_decay: float = number(0.05, low=0, help="AdamW's weight decay, of matrices only")
    clip: float = number(1.0, above=0, help="maximum norm of the gradient; larger ones are scaled down")
    precision: str = choice(
        "bf16-mixed",
        ("32-true", "bf16-mixed"),
        help="number format of matrix products, bfloat16 if the machine supports it in hardware; "
        "weights, sums and the recurrence are always float32",
    )
    checkpoint_blocks: bool = flag(
        False, help="recompute each layer in the backward pass: a third more work, but much less memory"
    )
    slices: int = whole(1, 1, help="equal parts of a step's lanes that are computed in turn, to save memory")
    threads: int = whole(0, 0, help="CPU threads of each process; 0 for all")
    seed: int = whole(1, 0, help="seed of weights, order and dropout")
    validate_every: int = whole(250, 1, unit="steps", help="time between validations")
    checkpoint_every: int = whole(100, 1, unit="steps", help="time between checkpoints")

    def __post_init__(self) -> None:
        check(self)
        problems = []
        if self.schedule == "exponential" and self.end_share == 0:
            problems.append("end_share: must be above 0 for an exponential schedule, which never reaches 0")
        for name, architecture in _OF_ONE.items():
            if getattr(self, name) and self.architecture != architecture:
                problems.append(f"{name}: only for architecture {architecture}, not {self.architecture}")
        if self.architecture.startswith("rwkv") and self.width % HEAD_SIZE:
            problems.append(f"width: {self.width} is not a multiple of {HEAD_SIZE}, as {self.architecture} needs")
        if self.active > (self.experts or self.active):
            problems.append(f"active: {self.active} of {self.experts} experts cannot be active")
        if self.head_size and self.width % self.head_size:
            problems.append(f"head_size: {self.width} channels are not whole heads of {self.head_size}")
        if self.lanes % self.slices:
            problems.append(f"slices: {self.slices} is not a divisor of the {self.lanes} lanes")
        if problems:
            raise SettingsError(problems)

    @property
    def steps(self) -> int:
        """The optimizer steps of the whole run."""
        return max(1, self.tokens // (self.lanes * self.window))

    @property
    def played(self) -> Part:
        """The part that the model plays.

        Raises:
            SettingsError: The recipe is for a shared trunk, which has several.
        """
        if self.part == SHARED:
            raise SettingsError("a shared trunk plays several parts; choose one with --part, or use a run of one part")
        return PARTS[self.part]

    def rate_at(self, step: int) -> float:
        """Return the learning rate at `step` as a share of its peak."""
        return share_at(
            step,
            schedule=self.schedule,
            steps=self.steps,
            warmup=self.warmup,
            decay_share=self.decay_share,
            end_share=self.end_share,
        )

    def as_dict(self) -> dict[str, object]:
        """Return the settings by name, as checkpoints store them."""
        return asdict(self)


def load(path: Path) -> Recipe:
    """Read a recipe from a YAML file.

    Raises:
        SettingsError: The file cannot be read, or it has unknown, missing or wrong settings; names each with its line.
    """
    settings = settings_of(Recipe)
    reading = Reading(path)
    root = reading.root()
    values = reading.mapping(root, "", readers(reading, settings))
    lines = {key.value: key for key, _ in root.value} if isinstance(root, yaml.MappingNode) else {}
    for name, setting in settings.items():
        if setting.is_required and name not in lines:
            reading.problem(root, f"{name} is missing: {setting.help}")
    reading.check()
    try:
        return Recipe(**values)  # type: ignore[arg-type]  # the readers check the types
    except SettingsError as error:  # settings that exclude each other
        for problem in error.problems:
            reading.problem(lines.get(problem.partition(":")[0], root), problem)
        reading.check()
        raise


def reference_table() -> str:
    """Return a Markdown table of all settings of a recipe, for docs/training.md."""
    return table(settings_of(Recipe).values())
