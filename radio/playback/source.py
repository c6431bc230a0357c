"""A station that plays here: its next bar composed in a thread of its own, itself loaded and freed in others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final

from radio.settings.controls import CONTROLS
from radio.settings.station import StationSettings
from radio.station.protocol import OpenStation, StationLike
from radio.types import SAMPLE_RATE, Block, Frames, Landing, Seconds, StationEvent

_REST: Final[Seconds] = 0.1
"""A control that is being turned comes to rest for this long before a bar is composed under it."""


class PlayerSource:
    """A station and the thread that composes ahead for it. All but `close` is for the thread that mixes.

    Args:
        station: Ours from here on.
        settings: What it was opened from.
    """

    def __init__(self, station: StationLike, settings: StationSettings) -> None:
        self.settings = settings
        self.start: Frames = 0
        """The frame of the player at which the station's frame 0 sounds; whoever mixes sets it."""
        self._station = station
        self._line = station.next_bar_line
        self._takes: Seconds = 0.0
        self._wake = Event()
        self._closing = Event()
        self._thread = Thread(target=self._prepare, name="compose", daemon=True)
        self._thread.start()
        self._wake.set()

    def render(self, frames: Frames) -> Block:
        """The next frames."""
        block = self._station.render(frames)
        if self._station.next_bar_line != self._line:
            self._line = self._station.next_bar_line
            self._wake.set()
        return block

    def events(self) -> list[StationEvent]:
        """What was rendered since the last call."""
        return self._station.events()

    @property
    def position(self) -> Frames:
        """The station's next frame to be rendered."""
        return self._station.position

    def can_change(self, patch: Mapping[str, object]) -> bool:
        """Whether `patch` may be given now: a bar that it takes back can be composed anew before its line."""
        if all(CONTROLS[name].lands == "mix" for name in patch):
            return True
        return (self._station.next_bar_line - self._station.position) / SAMPLE_RATE > _REST + 2 * self._takes

    def control(self, patch: Mapping[str, object]) -> Mapping[str, Landing]:
        """Change controls; return where they land. Raises ControlError."""
        landings = self._station.control(patch)
        self._wake.set()
        return landings

    def close(self) -> None:
        """Free the station; in any thread, when nothing is asked of it any more."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self._station.close()

    def _prepare(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            while not self._closing.is_set() and self._wake.wait(_REST):
                self._wake.clear()
            if self._closing.is_set():
                return
            began = monotonic()
            try:
                self._station.prepare()
            except Exception:  # noqa: BLE001  # it is raised again where the bar is needed, in the thread that mixes
                return
            self._takes = max(monotonic() - began, 0.9 * self._takes)


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A station that could not be opened."""

    settings: StationSettings
    error: Exception


class SourceLoader:
    """Loads the station that was asked for last, in a thread, one at a time."""

    def __init__(self, open_station: OpenStation) -> None:
        self._open_station = open_station
        self._lock = Lock()
        self._requests = 0
        self._requested: StationSettings | None = None
        self._ready: PlayerSource | LoadFailure | None = None
        self._thread: Thread | None = None

    def load(self, settings: StationSettings | None) -> None:
        """Load this one; what was asked for before is given up. None only gives up."""
        with self._lock:
            self._requests += 1
            self._requested = settings
            stale, self._ready = self._ready, None
            if settings is not None and self._thread is None:
                self._thread = Thread(target=self._load, name="load", daemon=True)
                self._thread.start()
        _free(stale)

    def take(self) -> PlayerSource | LoadFailure | None:
        """What was loaded since the last call, once."""
        if self._ready is None:  # asked before every block: mostly there is nothing
            return None
        with self._lock:
            ready, self._ready = self._ready, None
            return ready

    def close(self) -> None:
        """Wait for what is being loaded, and free it."""
        self.load(None)
        thread = self._thread
        if thread is not None:
            thread.join()

    def _load(self) -> None:
        while True:
            with self._lock:
                request, settings, self._requested = self._requests, self._requested, None
                if settings is None:
                    self._thread = None
                    return
            loaded: PlayerSource | LoadFailure
            try:
                loaded = PlayerSource(self._open_station(settings), settings)
            except Exception as error:  # noqa: BLE001  # it is told where it was asked for
                loaded = LoadFailure(settings, error)
            with self._lock:
                late = request != self._requests
                if not late:
                    self._ready = loaded
            if late:
                _free(loaded)


def _free(loaded: PlayerSource | LoadFailure | None) -> None:
    if isinstance(loaded, PlayerSource):
        loaded.close()
