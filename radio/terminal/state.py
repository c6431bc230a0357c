"""The state of the terminal view: messages and keys in, commands to the player out. Pure, without a clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from radio.playback.messages import (
    ActionDone,
    ControlsChanged,
    EventPlayed,
    Level,
    Notice,
    PlayerMessage,
    StationChanged,
    StationFailed,
)
from radio.prompt.changes import LONGEST, ControlValue, steps, understand
from radio.settings.controls import CONTROLS, LAYERS, Controls
from radio.settings.station import StationSettings
from radio.terminal.meters import Lamp, Meter
from radio.types import Action, ActionKind, Frames, JsonValue, Seconds, StationEvent

_QUARTER_OCTAVE: Final = 2**0.25
"""Factor by which a key press changes a frequency."""
_VOLUME_STEP: Final = 5
_PROMPT_BARS: Final = 4
"""Number of bars over which a prompt moves numeric controls."""

_HISTORY_LENGTH: Final = 12
_NOTICE_DURATION: Final[Seconds] = 6.0

_NUMBERS: Final = [name for name, control in CONTROLS.items() if control.kind in ("float", "int")]
SLIDERS: Final = (
    *(f"{layer}_level" for layer in LAYERS),
    *(name for group in ("music", "mix") for name in _NUMBERS if CONTROLS[name].group == group),
    "volume",
)
"""The sliders from first to last: controls by name, and the volume."""

ACTION_KEYS: Final[dict[str, ActionKind]] = {
    "n": "skip", "s": "next", "h": "hold", "l": "like", "d": "dislike", "L": "reset",
}  # fmt: skip
_DONE: Final[dict[ActionKind, str]] = {
    "skip": "The next track", "next": "The next section", "hold": "This loop is held", "release": "The track continues",
    "like": "More tracks like this", "dislike": "Fewer tracks like this", "reset": "Likes are forgotten",
}  # fmt: skip

LAYER_KEYS: Final = {str(number): layer for number, layer in enumerate(LAYERS, 1)}
KEYS: Final = (
    ("up down", "select a slider"),
    ("left right", "change it"),
    ("m", "mute the selected layer"),
    (" ".join(LAYER_KEYS), f"mute {', '.join(LAYERS)}"),
    ("v r a", "vinyl, rain, ambience on and off"),
    ("t T", "temperature down, up"),
    ("[ ]", "tempo down, up"),
    ("- +", "volume down, up"),
    ("n s", "next track, next section"),
    ("h", "hold or release this loop"),
    ("l d L", "like, dislike this track; forget likes"),
    ("p", "describe the music in words"),
    ("space", "silence on and off"),
    ("tab", "next station; with shift, the previous one"),
    ("?", "show these keys"),
    ("q", "quit (also Ctrl-C)"),
)


@dataclass(frozen=True, slots=True)
class ChangeControls:
    """Set controls of the current station."""

    patch: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ChangeStation:
    """Change to a station; None means to stay with the current one."""

    settings: StationSettings | None


@dataclass(frozen=True, slots=True)
class SetVolume:
    """Set the player's linear gain."""

    gain: float


@dataclass(frozen=True, slots=True)
class Quit:
    """Quit the radio."""


@dataclass(frozen=True, slots=True)
class Redraw:
    """Redraw the whole screen."""


@dataclass(frozen=True, slots=True)
class Act:
    """Perform an action."""

    action: Action


Command: TypeAlias = ChangeControls | Act | ChangeStation | SetVolume | Quit | Redraw


@dataclass(frozen=True, slots=True)
class PlayedTrack:
    """A track from the history, and the frame at which it started."""

    title: str
    station: str
    frame: Frames


class TerminalState:
    """The state of the terminal view.

    Args:
        stations: The stations to choose from, at least one.
        first: The station that is loading.
    """

    def __init__(self, stations: Sequence[StationSettings], first: StationSettings) -> None:
        self.stations = [first if station.name == first.name else station for station in stations]
        self.settings = first
        self.loading: StationSettings | None = first
        """The station that is loading, if one is."""
        self.controls: Controls = first.controls
        self.pending: dict[str, int | None] = {}
        """Controls whose new values are not heard yet, with the bar in which they take effect, if known."""
        self.volume = 100
        self.silent = False
        self.track: StationEvent | None = None
        self.bar: StationEvent | None = None
        self.bar_start: Frames = 0
        """The player's frame at which the current bar started."""
        self.first_bar = 0
        """The number of the track's first bar."""
        self.history: deque[PlayedTrack] = deque(maxlen=_HISTORY_LENGTH)
        """Tracks heard before the current one, latest first."""
        self.playhead: Frames = 0
        self.meters = (Meter(), Meter())
        self.lamps = {layer: Lamp() for layer in LAYERS}
        self.cursor = 0
        self.help = False
        self.notice = ""
        self.words: str | None = None
        """The prompt that the listener is typing; None while keys are commands."""
        self._steps: deque[dict[str, ControlValue]] = deque()
        """Remaining changes of a prompt, one per bar."""
        self._bar_began = False
        self._notice_left: Seconds = 0.0
        self._track_start: Frames = 0

    def on_message(self, message: PlayerMessage) -> None:
        """Update the state for a message from the player."""
        match message:
            case StationChanged(settings):
                self._add_to_history()
                self.settings, self.controls = settings, settings.controls
                self._steps.clear()
                self.track = self.bar = None
                self.pending.clear()
                self._end_loading(settings)
            case StationFailed(settings, reason):
                self.show_notice(f"{settings.title} cannot be played: {reason}")
                self._end_loading(settings)
            case EventPlayed(event, frame):
                self._on_event(event, frame)
            case ControlsChanged(patch, bar):
                for name in patch:
                    if name in self.pending:
                        self.pending[name] = bar
                        if bar is None:
                            del self.pending[name]
            case ActionDone(action, bar):
                self.show_notice(f"{_DONE[action.kind]}, from bar {bar + 1}.")
            case Notice(text):
                self.show_notice(text)

    def _end_loading(self, settings: StationSettings) -> None:
        if self.loading is not None and self.loading.name == settings.name:
            self.loading = None

    def show_notice(self, text: str) -> None:
        """Show a notice for a few seconds."""
        self.notice, self._notice_left = text, _NOTICE_DURATION

    def advance(self, seconds: Seconds, playhead: Frames, level: Level | None) -> None:
        """Advance by `seconds`, during which `level` was heard; the player is now at frame `playhead`."""
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
        """Handle a key: update the state, and return the command for the player, if any."""
        if self.words is not None and key != "redraw":
            return self._type(key, self.words)
        layer = (LAYER_KEYS | {"v": "vinyl", "r": "rain", "a": "ambience"}).get(key)
        slider = SLIDERS[self.cursor]
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
            case "p" if self.track is not None:
                self.words = ""
            case key if key in ACTION_KEYS and self.track is not None:
                return self._act(ACTION_KEYS[key])
            case "up":
                self.cursor = (self.cursor - 1) % len(SLIDERS)
            case "down":
                self.cursor = (self.cursor + 1) % len(SLIDERS)
            case "left":
                return self._step(slider, -1)
            case "right":
                return self._step(slider, 1)
            case "m" | "enter" if slider.endswith("_level"):
                return self._mute(slider.removesuffix("_level"))
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

    def due(self) -> Command | None:
        """Return the next step of a prompt if a bar has begun since the last one."""
        if not self._steps or not self._bar_began:
            return None
        self._bar_began = False
        return self._change_controls(self._steps.popleft())

    def _type(self, key: str, words: str) -> Command | None:
        """Handle a key while the listener is typing a prompt."""
        self.words = words
        match key:
            case "enter":
                self.words = None
                return self._describe(words) if words.strip() else None
            case "escape":
                self.words = None
            case "backspace":
                self.words = words[:-1]
            case "space":
                self.words += " "
            case _ if len(key) == 1 and len(words) < LONGEST:
                self.words += key
        return None

    def _describe(self, words: str) -> Command | None:
        """Begin the changes that a prompt describes, spread over a few bars, and show phrases not understood."""
        understanding = understand(words, self.settings, self.controls, live=True)
        unknown = ", ".join(f"'{phrase.text}'" for phrase in understanding.not_understood)
        changes = ", ".join(f"{name} {value}" for name, value in understanding.changes.items()) or "nothing changes"
        self.show_notice(f"not understood: {unknown}; {changes}" if unknown else changes)
        if not understanding.changes:
            return None
        first, *later = steps(understanding, self.controls, _PROMPT_BARS)
        self._steps, self._bar_began = deque(later), False
        return self._change_controls(first)

    def _on_event(self, event: StationEvent, frame: Frames) -> None:
        match event.kind:
            case "track":
                self._add_to_history()
                self.track, self._track_start, self.bar = event, frame, None
            case "bar":
                number = event.data["number"]
                if self.bar is None and isinstance(number, int):
                    self.first_bar = number
                self.bar, self.bar_start = event, frame
                self._bar_began = True
                for name, bar in list(self.pending.items()):
                    if bar is not None and isinstance(number, int) and number >= bar:
                        del self.pending[name]
            case "note" if event.data["velocity"]:
                self.lamps[str(event.data["layer"])].on_note(int(str(event.data["velocity"])))

    def _add_to_history(self) -> None:
        if self.track is not None:
            self.history.appendleft(PlayedTrack(str(self.track.data["title"]), self.settings.title, self._track_start))

    def _step(self, slider: str, direction: int) -> Command | None:
        if slider == "volume":
            self.volume = min(100, max(0, self.volume + direction * _VOLUME_STEP))
            self.silent = False
            return self._set_volume()
        for later in self._steps:
            later.pop(slider, None)
        control, value = CONTROLS[slider], float(getattr(self.controls, slider))
        if control.is_logarithmic:
            value = float(f"{value * _QUARTER_OCTAVE**direction:.2g}")
        else:
            value = round((round(value / control.step) + direction) * control.step, 4)
        return self._change_controls({slider: min(control.high, max(control.low, value))})

    def _mute(self, layer: str) -> Command | None:
        return self._change_controls({f"{layer}_mute": not getattr(self.controls, f"{layer}_mute")})

    def _change_controls(self, patch: Mapping[str, JsonValue]) -> Command | None:
        if self.bar is None and self.track is None:
            return None  # nothing plays yet
        changed = self.controls.changed(patch)
        if changed == self.controls:
            return None
        self.controls = changed
        self.pending |= {name: None for name in patch if CONTROLS[name].lands != "mix"}
        return ChangeControls(patch)

    def _act(self, kind: ActionKind) -> Command:
        if kind == "hold" and self.bar is not None and self.bar.data.get("hold"):
            kind = "release"
        number = self.track.data["number"] if self.track is not None else None
        rated = isinstance(number, int) and kind in ("like", "dislike")
        return Act(Action(kind, number if rated else None))  # type: ignore[arg-type]  # an int if rated

    def _set_volume(self) -> Command:
        """Return the command for the current volume. The gain is its cube, which is close to perceived loudness."""
        return SetVolume(0.0 if self.silent else (self.volume / 100) ** 3)

    def _change_station(self, direction: int) -> Command | None:
        if len(self.stations) == 1:
            self.show_notice("There is only one station.")
            return None
        names = [station.name for station in self.stations]
        current = names.index((self.loading or self.settings).name)
        station = self.stations[(current + direction) % len(names)]
        if station.name == self.settings.name and self.track is not None:
            self.loading = None
            return ChangeStation(None)
        self.loading = station
        return ChangeStation(station)
