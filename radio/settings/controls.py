"""What can be turned while a station plays: one table for the config, the API, the station and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

from radio.errors import ControlError, nearest
from radio.types import MOODS, JsonValue, MoodChoice

LAYERS: tuple[str, ...] = ("keys", "bass", "drums", "vinyl", "rain")

_MOODS: tuple[str, ...] = ("any", *MOODS)


@dataclass(frozen=True, slots=True)
class Control:
    """One control: its range (inclusive), or its choices, its unit, and where a change lands.

    lands: on the next bar line, where the harmony's next loop begins, or in the mix at once.
    """

    name: str
    kind: Literal["float", "int", "bool", "choice"]
    low: float
    high: float
    lands: Literal["bar", "loop", "mix"]
    unit: str
    help: str
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        if self.kind == "bool":
            return "true or false"
        kind = "a whole number" if self.kind == "int" else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}{' ' + self.unit if self.unit else ''}"

    def check(self, value: object) -> float | int | bool | str:
        """Return the value in its own type; raise ControlError where kind, range or choice is wrong."""
        if self.kind == "choice":
            if isinstance(value, str) and value in self.choices:
                return value
        elif self.kind == "bool":
            if isinstance(value, bool):
                return value
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and self.low <= value <= self.high:
            # In range first: it is false for nan and infinity, and what is beyond all floats is not converted to one.
            if self.kind == "float":
                return float(value)
            if float(value).is_integer():
                return int(value)
        raise ControlError(f"{self.name}: {value!r} is not {self.allowed}", field=self.name, allowed=self.allowed)


def _table() -> dict[str, Control]:
    rows = [
        Control("temperature", "float", 0, 2, "bar", "", "how freely the models choose; 0 always takes the likeliest"),
        Control(
            "top_p", "float", 0, 1, "bar", "", "keep the likeliest tokens up to this much probability; 1 keeps all"
        ),
        Control("top_k", "int", 0, 2560, "bar", "", "keep this many likeliest tokens; 0 keeps all"),
        Control("alpha_presence", "float", 0, 2, "bar", "", "push down notes that were played lately, once each"),
        Control("alpha_frequency", "float", 0, 2, "bar", "", "push down notes by how often they were played lately"),
        Control("alpha_decay", "float", 0, 1, "bar", "", "how slowly the two penalties forget, per token"),
        Control("tempo", "float", 50, 110, "bar", "BPM", "beats a minute"),
        Control("swing", "float", 50, 66, "bar", "%", "where the off-beat sixteenth falls in its pair; 50 is straight"),
        Control("density", "float", 0, 1, "bar", "", "how busy the players are"),
        Control(
            "mood", "choice", 0, 0, "loop", "", "what the chords are to feel like; any leaves it to the station", _MOODS
        ),
        Control("lowpass", "float", 500, 20_000, "mix", "Hz", "the master low-pass"),
        Control("wow", "float", 0, 1, "mix", "", "how much the tape wavers"),
    ]
    for layer in LAYERS:
        rows.append(Control(f"{layer}_level", "float", -60, 12, "mix", "dB", f"level of the {layer}"))
        rows.append(Control(f"{layer}_mute", "bool", 0, 1, "mix", "", f"silence the {layer}"))
    return {row.name: row for row in rows}


CONTROLS: Mapping[str, Control] = _table()


@dataclass(frozen=True, slots=True)
class Controls:
    """A value for every row of `CONTROLS`; checked when built."""

    temperature: float = 1.0
    top_p: float = 0.95
    top_k: int = 0
    alpha_presence: float = 0.0
    alpha_frequency: float = 0.1
    alpha_decay: float = 0.99
    tempo: float = 80.0
    swing: float = 56.0
    density: float = 0.5
    mood: MoodChoice = "any"
    lowpass: float = 10_000.0
    wow: float = 0.3
    keys_level: float = 0.0
    keys_mute: bool = False
    bass_level: float = 0.0
    bass_mute: bool = False
    drums_level: float = 0.0
    drums_mute: bool = False
    vinyl_level: float = 0.0
    vinyl_mute: bool = False
    rain_level: float = 0.0
    rain_mute: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, CONTROLS[field.name].check(getattr(self, field.name)))

    def changed(self, patch: Mapping[str, object]) -> Controls:
        """These controls with `patch` applied. Raises ControlError for an unknown name or a value out of range."""
        for name in patch:
            if name not in CONTROLS:
                hint = nearest(name, list(CONTROLS))
                raise ControlError(f"there is no control '{name}'.{hint}", field=name, allowed=", ".join(CONTROLS))
        return replace(self, **{name: CONTROLS[name].check(value) for name, value in patch.items()})  # type: ignore[arg-type]

    def as_json(self) -> dict[str, JsonValue]:
        return {field.name: getattr(self, field.name) for field in fields(self)}
