"""The controls of a station, which can change while it plays: declared once for the config, the API and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Final, Literal, cast

from radio.errors import ControlError, did_you_mean
from radio.music.chords import pitch_name
from radio.music.played_instruments import ANY, choices
from radio.settings.ambience import SOUNDS, STATION
from radio.settings.fields import Group, Lands, Setting, choice, flag, number, settings_of, whole
from radio.settings.kinds import Choice, Number
from radio.types import MODES, MOODS, JsonValue, ModeChoice, MoodChoice

PLAYED_LAYERS: Final = ("keys", "bass", "drums", "lead")
"""The layers that play notes."""

LAYERS: tuple[str, ...] = (*PLAYED_LAYERS, "vinyl", "rain", "ambience")

_FINE_RANGE: Final = 2.0
"""The widest range with steps of 0.05 rather than 1."""
_MOODS: tuple[MoodChoice, ...] = ("any", *MOODS)
_KEYS: Final = ("any", *(pitch_name(pitch) for pitch in range(12)))


def _instrument(part: str, words: str) -> str:
    return choice(ANY, choices(part), lands="bar", group="music", help=f"{words}; any leaves it to the station")


def _level(layer: str) -> float:
    return number(0, -60, 12, unit="dB", lands="mix", group="layers", help=f"level of the {layer}")


def _mute(layer: str, *, muted: bool = False) -> bool:
    return flag(muted, lands="mix", group="layers", help=f"silence the {layer}")


@dataclass(frozen=True, slots=True)
class Controls:
    """A value for every control.

    Each field is a control. `lands` says where a change takes effect, and `group` where the control appears on the page
    and in `radio controls`. The terminal has the switches and numbers of all groups except `sampling`.

    Raises:
        ControlError: A value is not allowed.
    """

    temperature: float = number(
        1, 0, 2, lands="bar", group="music", help="randomness of the models' choices; 0 picks the likeliest token"
    )
    top_p: float = number(
        0.95,
        0,
        1,
        lands="bar",
        group="sampling",
        help="keep the likeliest tokens up to this total probability; 1 keeps all",
    )
    top_k: int = whole(0, 0, 2560, lands="bar", group="sampling", help="keep this many likeliest tokens; 0 keeps all")
    alpha_presence: float = number(0, 0, 2, lands="bar", group="sampling", help="penalty for recently played notes")
    alpha_frequency: float = number(
        0.1, 0, 2, lands="bar", group="sampling", help="penalty for each time that a note was played recently"
    )
    alpha_decay: float = number(
        0.99, 0, 1, lands="bar", group="sampling", help="share of the two penalties that is left after each token"
    )
    tempo: float = number(80, 50, 110, unit="BPM", lands="bar", group="music", help="beats per minute")
    tempo_variety: float = number(
        1, 0, 1, lands="bar", group="music",
        help="variation of tempo between tracks, as a share of the station's tempo_spread; 0 plays all at tempo",
    )  # fmt: skip
    swing: float = number(
        56, 50, 66, unit="%", lands="bar", group="music",
        help="position of the off-beat sixteenth in its pair; 50 is straight",
    )  # fmt: skip
    density: float = number(0.5, 0, 1, lands="bar", group="music", help="density of the keys")
    drums_density: float = number(0.5, 0, 1, lands="bar", group="music", help="density of the drums")
    lead_density: float = number(0.5, 0, 1, lands="bar", group="music", help="density of the lead")
    mood: MoodChoice = choice(
        "any", _MOODS, lands="loop", group="music", help="mood of the chords; any leaves it to the station"
    )
    key: str = choice(
        "any", _KEYS, lands="loop", group="music", help="tonic of the chords; any leaves it to the station"
    )
    mode: ModeChoice = choice(
        "any", ("any", *MODES), lands="loop", group="music", help="mode of the chords; any leaves it to the station"
    )
    energy: float = number(
        0.5, 0, 1, lands="bar", group="music",
        help="number of layers and notes: at 0 drums and bass rest, at 1 all play densely without breakdowns",
    )  # fmt: skip
    keys_instrument: str = _instrument("keys", "instrument of the keys")
    bass_instrument: str = _instrument("bass", "instrument of the bass")
    lead_instrument: str = _instrument("lead", "instrument of the lead")
    drum_kit: str = _instrument("drums", "sounds of the drums")
    lowpass: float = number(
        10_000,
        500,
        20_000,
        unit="Hz",
        lands="mix",
        group="mix",
        logarithmic=True,
        help="cutoff of the low-pass on the whole mix",
    )
    wow: float = number(0.3, 0, 1, lands="mix", group="mix", help="depth of the tape's wow and flutter")
    ambience: str = choice(
        STATION, (STATION, *SOUNDS), lands="mix", group="mix",
        help="background sound; station leaves it to the station",
    )  # fmt: skip
    keys_level: float = _level("keys")
    keys_mute: bool = _mute("keys")
    bass_level: float = _level("bass")
    bass_mute: bool = _mute("bass")
    drums_level: float = _level("drums")
    drums_mute: bool = _mute("drums")
    lead_level: float = _level("lead")
    lead_mute: bool = _mute("lead")
    vinyl_level: float = _level("vinyl")
    vinyl_mute: bool = _mute("vinyl")
    rain_level: float = _level("rain")
    rain_mute: bool = _mute("rain", muted=True)
    ambience_level: float = _level("ambience")
    ambience_mute: bool = _mute("ambience")

    def __post_init__(self) -> None:
        for name, control in CONTROLS.items():
            object.__setattr__(self, name, control.check(getattr(self, name)))

    def changed(self, patch: Mapping[str, object]) -> Controls:
        """Return these controls with `patch` applied.

        Raises:
            ControlError: There is no such control, or its value is not allowed.
        """
        for name in patch:
            if name not in CONTROLS:
                hint = did_you_mean(name, list(CONTROLS))
                raise ControlError(f"there is no control '{name}'.{hint}", field=name, allowed=", ".join(CONTROLS))
        return replace(self, **{name: CONTROLS[name].check(value) for name, value in patch.items()})  # type: ignore[arg-type]

    @property
    def silenced(self) -> frozenset[str]:
        """The layers that are muted or at their lowest level."""
        return frozenset(
            layer
            for layer in LAYERS
            if getattr(self, f"{layer}_mute") or getattr(self, f"{layer}_level") <= CONTROLS[f"{layer}_level"].low
        )

    @property
    def silent(self) -> bool:
        """True if every layer is muted or at its lowest level."""
        return self.silenced.issuperset(LAYERS)

    def changes_from(self, earlier: Controls) -> dict[str, JsonValue]:
        """Return the values that differ from those of `earlier`."""
        return {name: value for name, value in self.as_json().items() if value != getattr(earlier, name)}

    def as_json(self) -> dict[str, JsonValue]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Control:
    """A field of `Controls`, as the API and the terminal use it."""

    setting: Setting

    @property
    def name(self) -> str:
        return self.setting.name

    @property
    def kind(self) -> Literal["float", "int", "bool", "choice"]:
        return cast('Literal["float", "int", "bool", "choice"]', self.setting.kind.name)

    @property
    def default(self) -> float | int | bool | str:
        return cast("float | int | bool | str", self.setting.default)

    @property
    def low(self) -> float:
        """The low end of the range; 0 if there is none."""
        kind = self.setting.kind
        return kind.low if isinstance(kind, Number) and kind.low is not None else 0

    @property
    def high(self) -> float:
        """The high end of the range; 1 if there is none."""
        kind = self.setting.kind
        return kind.high if isinstance(kind, Number) and kind.high is not None else 1

    @property
    def unit(self) -> str:
        kind = self.setting.kind
        return kind.unit if isinstance(kind, Number) else ""

    @property
    def choices(self) -> tuple[str, ...]:
        kind = self.setting.kind
        return tuple(map(str, kind.choices)) if isinstance(kind, Choice) else ()

    @property
    def lands(self) -> Lands:
        return self.setting.uses["lands"]

    @property
    def group(self) -> Group:
        return self.setting.uses["group"]

    @property
    def step(self) -> float:
        """The size of a small change."""
        return 0.05 if self.high - self.low <= _FINE_RANGE else 1.0

    @property
    def is_logarithmic(self) -> bool:
        """True for a frequency, for which equal ratios sound like equal steps."""
        return self.setting.uses.get("logarithmic", False)

    @property
    def help(self) -> str:
        return self.setting.help

    @property
    def allowed(self) -> str:
        return self.setting.kind.allowed

    def as_json(self) -> dict[str, JsonValue]:
        """Return the description of the control as JSON."""
        ends: dict[str, JsonValue] = {"low": self.low, "high": self.high}
        return {
            "kind": self.kind,
            **({"choices": [*self.choices]} if self.choices else ends),
            "unit": self.unit,
            "lands": self.lands,
            "group": self.group,
            "help": self.help,
            "allowed": self.allowed,
        }

    def check(self, value: object) -> float | int | bool | str:
        """Return the value in its own type. Raises ControlError if it is not allowed."""
        try:
            return cast("float | int | bool | str", self.setting.check(value))
        except ValueError as error:
            raise ControlError(str(error), field=self.name, allowed=self.allowed) from error


CONTROLS: Mapping[str, Control] = MappingProxyType(
    {name: Control(setting) for name, setting in settings_of(Controls).items()}
)
