"""What the listener sees and turns: messages and keys in, a picture of the station and wishes out. Pure, no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from radio.playback.messages import ControlsChanged, EventPlayed, Level, Notice, PlayerMessage, StationChanged
from radio.settings.controls import CONTROLS, LAYERS, Controls
from radio.settings.station import StationSettings
from radio.terminal.meters import Lamp, Meter
from radio.types import Frames, JsonValue, Seconds, StationEvent

_STEPS: Final = {"temperature": 0.05, "tempo": 1.0, "swing": 1.0, "density": 0.05, "lowpass": 0.0, "wow": 0.05}
"""How far one key press goes; the low-pass goes by a quarter of an octave."""
_QUARTER_OCTAVE: Final = 2**0.25
_LEVEL_STEP: Final = 1.0
_VOLUME_STEP: Final = 5
_HISTORY_LENGTH: Final = 12
_NOTICE_DURATION: Final[Seconds] = 6.0

SLIDERS: Final = (*(f"{layer}_level" for layer in LAYERS), *_STEPS, "volume")
"""The rows a cursor walks through: controls by their names, and the volume of these speakers."""

KEYS: Final = (
    ("up down", "choose a row"),
    ("left right", "turn it"),
    ("m", "mute the chosen layer"),
    ("1 2 3 4 5", f"mute {', '.join(LAYERS)}"),
    ("v r", "vinyl, rain on and off"),
    ("t T", "temperature down, up"),
    ("[ ]", "tempo down, up"),
    ("- +", "volume down, up"),
    ("space", "silence, and back"),
    ("tab", "next station, with shift the one before"),
    ("?", "show these keys"),
    ("q", "quit; so does Ctrl-C"),
)


@dataclass(frozen=True, slots=True)
class ChangeControls:
    """Set these controls."""

    patch: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ChangeStation:
    """Change over to this station, or stay with the one that plays."""

    settings: StationSettings | None


@dataclass(frozen=True, slots=True)
class SetVolume:
    """Set the player's linear gain."""

    gain: float


@dataclass(frozen=True, slots=True)
class Quit:
    """End."""


@dataclass(frozen=True, slots=True)
class Redraw:
    """Paint the whole screen anew."""


Command: TypeAlias = ChangeControls | ChangeStation | SetVolume | Quit | Redraw


@dataclass(frozen=True, slots=True)
class PlayedTrack:
    """A track that was heard, and the frame at which it began."""

    title: str
    station: str
    frame: Frames


class TerminalState:
    """The state of the terminal view.

    Args:
        stations: What can be tuned in, at least one.
        first: The one that is being loaded.
    """

    def __init__(self, stations: Sequence[StationSettings], first: StationSettings) -> None:
        self.stations = [each if each.name != first.name else first for each in stations]
        self.settings = first
        self.loading: StationSettings | None = first
        """The station that is being loaded."""
        self.controls: Controls = first.controls
        self.pending: dict[str, int | None] = {}
        """Controls whose new value is not heard yet, and the bar from which it will be once that is known."""
        self.volume = 100
        self.silent = False
        self.track: StationEvent | None = None
        self.bar: StationEvent | None = None
        self.bar_began: Frames = 0
        """The frame of the player at which the bar began that sounds now."""
        self.first_bar = 0
        """The number of the bar that opened the track."""
        self.history: deque[PlayedTrack] = deque(maxlen=_HISTORY_LENGTH)
        """Tracks heard before this one, the latest first."""
        self.playhead: Frames = 0
        self.meters = (Meter(), Meter())
        self.lamps = {layer: Lamp() for layer in LAYERS}
        self.cursor = 0
        self.help = False
        self.notice = ""
        self._notice_left: Seconds = 0.0
        self._track_began: Frames = 0

    def on_message(self, message: PlayerMessage) -> None:
        """Take in what the player says."""
        match message:
            case StationChanged(settings):
                self._remember()
                self.settings, self.controls = settings, settings.controls
                self.track = self.bar = None
                self.pending.clear()
                if self.loading is not None and self.loading.name == settings.name:
                    self.loading = None
            case EventPlayed(event, frame):
                self._on_event(event, frame)
            case ControlsChanged(patch, bar):
                for name in patch:
                    if name in self.pending:
                        self.pending[name] = bar
                        if bar is None:
                            del self.pending[name]
            case Notice(words):
                self.show_notice(words)
                self.loading = None

    def show_notice(self, words: str, lasts: Seconds = _NOTICE_DURATION) -> None:
        """Show a sentence for a while."""
        self.notice, self._notice_left = words, lasts

    def advance(self, seconds: Seconds, playhead: Frames, level: Level | None) -> None:
        """Let `seconds` pass, in which the player came to the frame `playhead` and `level` sounded."""
        self.playhead = playhead
        for side, meter in enumerate(self.meters):
            if level is None:
                meter.advance(seconds)
            else:
                meter.advance(seconds, level.peak[side], level.power[side])
        for lamp in self.lamps.values():
            lamp.advance(seconds)
        self._notice_left -= seconds
        if self._notice_left <= 0:
            self.notice = ""

    def on_key(self, key: str) -> Command | None:  # noqa: C901, PLR0912  # a table of keys
        """What a key asks for. What it changes shows at once; the player is told by the command."""
        layer = LAYERS[int(key) - 1] if key in {"1", "2", "3", "4", "5"} else {"v": "vinyl", "r": "rain"}.get(key)
        knob = SLIDERS[self.cursor]
        if layer is not None:
            return self._mute(layer)
        match key:
            case "q" | "Q":
                return Quit()
            case "redraw":
                return Redraw()
            case "?":
                self.help = not self.help
            case "escape":
                self.help = False
            case "up":
                self.cursor = (self.cursor - 1) % len(SLIDERS)
            case "down":
                self.cursor = (self.cursor + 1) % len(SLIDERS)
            case "left":
                return self._step(knob, -1)
            case "right":
                return self._step(knob, 1)
            case "m" | "enter" if knob.endswith("_level"):
                return self._mute(knob.removesuffix("_level"))
            case "t" | "T":
                return self._step("temperature", 1 if key == "T" else -1)
            case "[" | "]":
                return self._step("tempo", 1 if key == "]" else -1)
            case "-" | "_":
                return self._step("volume", -1)
            case "+" | "=":
                return self._step("volume", 1)
            case "space":
                self.silent = not self.silent
                return self._set_volume()
            case "tab":
                return self._change_station(1)
            case "back-tab":
                return self._change_station(-1)
        return None

    def _on_event(self, event: StationEvent, frame: Frames) -> None:
        match event.kind:
            case "track":
                self._remember()
                self.track, self._track_began, self.bar = event, frame, None
            case "bar":
                number = event.data["number"]
                if self.bar is None and isinstance(number, int):
                    self.first_bar = number
                self.bar, self.bar_began = event, frame
                for name, bar in list(self.pending.items()):
                    if bar is not None and isinstance(number, int) and number >= bar:
                        del self.pending[name]
            case "note" if event.data["velocity"]:
                self.lamps[str(event.data["layer"])].strike(int(str(event.data["velocity"])))

    def _remember(self) -> None:
        if self.track is not None:
            self.history.appendleft(PlayedTrack(str(self.track.data["title"]), self.settings.title, self._track_began))

    def _step(self, knob: str, way: int) -> Command | None:
        if knob == "volume":
            self.volume = min(100, max(0, self.volume + way * _VOLUME_STEP))
            self.silent = False
            return self._set_volume()
        control, value = CONTROLS[knob], float(getattr(self.controls, knob))
        if knob == "lowpass":
            value = float(f"{value * _QUARTER_OCTAVE**way:.2g}")
        else:
            step = _STEPS.get(knob, _LEVEL_STEP)
            value = round((round(value / step) + way) * step, 4)
        return self._change_controls({knob: min(control.high, max(control.low, value))})

    def _mute(self, layer: str) -> Command | None:
        return self._change_controls({f"{layer}_mute": not getattr(self.controls, f"{layer}_mute")})

    def _change_controls(self, patch: dict[str, JsonValue]) -> Command | None:
        if self.bar is None and self.track is None:
            return None  # nothing plays yet
        changed = self.controls.changed(patch)
        if changed == self.controls:
            return None
        self.controls = changed
        self.pending |= {name: None for name in patch if CONTROLS[name].lands != "mix"}
        return ChangeControls(patch)

    def _set_volume(self) -> Command:
        """Loudness goes about with the cube of what a listener calls volume."""
        return SetVolume(0.0 if self.silent else (self.volume / 100) ** 3)

    def _change_station(self, way: int) -> Command | None:
        if len(self.stations) == 1:
            self.show_notice("There is only one station.")
            return None
        names = [each.name for each in self.stations]
        following = self.stations[(names.index((self.loading or self.settings).name) + way) % len(names)]
        if following.name == self.settings.name and self.track is not None:
            self.loading = None
            return ChangeStation(None)
        self.loading = following
        return ChangeStation(following)
