"""A station for the player, which is loaded, composed ahead and freed in separate threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final

from radio.settings.controls import CONTROLS
from radio.settings.station import StationSettings
from radio.station.protocol import OpenStation, StationLike
from radio.types import SAMPLE_RATE, Action, Block, Frames, Landing, Seconds, StationEvent

_SETTLE_TIME: Final[Seconds] = 0.1
"""Time without control changes before a bar is composed, because a listener may still be moving a slider."""


class PlayerSource:
    """A station and the thread that composes ahead for it. Only `close` may be called outside the mixing thread.

    Args:
        station: The station; this object becomes its owner.
        settings: The settings with which it was opened.
    """

    def __init__(self, station: StationLike, settings: StationSettings) -> None:
        self.settings = settings
        self.start: Frames = 0
        """The player's frame at which the station's frame 0 is heard; set by the player."""
        self._station = station
        self._line = station.next_bar_line
        self._compose_time: Seconds = 0.0
        self._wake = Event()
        self._closing = Event()
        self._thread = Thread(target=self._prepare, name="compose", daemon=True)
        self._thread.start()
        self._wake.set()

    def render(self, frames: Frames) -> Block:
        """Return the next frames."""
        block = self._station.render(frames)
        if self._station.next_bar_line != self._line:
            self._line = self._station.next_bar_line
            self._wake.set()
        return block

    def events(self) -> list[StationEvent]:
        """Return the events rendered since the last call."""
        return self._station.events()

    @property
    def position(self) -> Frames:
        """The station's next frame to render."""
        return self._station.position

    def can_change(self, change: Mapping[str, object] | Action) -> bool:
        """Return True if `change` may be made now, because a bar that it invalidates can be recomposed in time."""
        if not isinstance(change, Action) and all(CONTROLS[name].lands == "mix" for name in change):
            return True
        time_left = (self._station.next_bar_line - self._station.position) / SAMPLE_RATE
        return time_left > _SETTLE_TIME + 2 * self._compose_time

    def control(self, patch: Mapping[str, object]) -> Mapping[str, Landing]:
        """Change controls, and return where they take effect. Raise ControlError if one is invalid."""
        landings = self._station.control(patch)
        self._wake.set()
        return landings

    def act(self, action: Action) -> Landing:
        """Perform a listener's action, and return where it takes effect. Raise ControlError if it is impossible."""
        landing = self._station.act(action)
        self._wake.set()
        return landing

    def close(self) -> None:
        """Free the station. May be called from any thread, after the last call of another method."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self._station.close()

    def _prepare(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            while not self._closing.is_set() and self._wake.wait(_SETTLE_TIME):
                self._wake.clear()
            if self._closing.is_set():
                return
            started = monotonic()
            try:
                self._station.prepare()
            except Exception:  # noqa: BLE001  # it is raised again in the mixing thread, which needs the bar
                return
            self._compose_time = max(monotonic() - started, 0.9 * self._compose_time)


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A station that could not be opened."""

    settings: StationSettings
    error: Exception


class SourceLoader:
    """A loader of the most recently requested station. It loads one station at a time, in a separate thread."""

    def __init__(self, open_station: OpenStation) -> None:
        self._open_station = open_station
        self._lock = Lock()
        self._request_count = 0
        self._requested: StationSettings | None = None
        self._ready: PlayerSource | LoadFailure | None = None
        self._thread: Thread | None = None

    def load(self, settings: StationSettings | None) -> None:
        """Load a station, and drop the one requested before. If `settings` is None, only drop that one."""
        with self._lock:
            self._request_count += 1
            self._requested = settings
            stale, self._ready = self._ready, None
            if settings is not None and self._thread is None:
                self._thread = Thread(target=self._load, name="load", daemon=True)
                self._thread.start()
        _free(stale)

    def take(self) -> PlayerSource | LoadFailure | None:
        """Return the result of the last request, once; None if there is none yet."""
        if self._ready is None:  # the player calls this before every block, and usually needs no lock
            return None
        with self._lock:
            ready, self._ready = self._ready, None
            return ready

    def close(self) -> None:
        """Wait for the station being loaded, and free it."""
        self.load(None)
        thread = self._thread
        if thread is not None:
            thread.join()

    def _load(self) -> None:
        while True:
            with self._lock:
                request, settings, self._requested = self._request_count, self._requested, None
                if settings is None:
                    self._thread = None
                    return
            loaded: PlayerSource | LoadFailure
            try:
                loaded = PlayerSource(self._open_station(settings), settings)
            except Exception as error:  # noqa: BLE001  # the player reports it
                loaded = LoadFailure(settings, error)
            with self._lock:
                is_stale = request != self._request_count
                if not is_stale:
                    self._ready = loaded
            if is_stale:
                _free(loaded)


def _free(loaded: PlayerSource | LoadFailure | None) -> None:
    if isinstance(loaded, PlayerSource):
        loaded.close()
