"""The interface between a station and the code that plays it: a worker or the local player."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from radio.compose.prime import Prime
from radio.settings.station import StationSettings
from radio.station.resume import LogEntry, Snapshot
from radio.types import Action, Block, Frames, Landing, StationEvent


class StationLike(Protocol):
    """A source of endless audio with controls: a `Station`, or a stand-in for tests."""

    @property
    def position(self) -> Frames:
        """The next frame to be rendered."""

    @property
    def next_bar_line(self) -> Frames:
        """The frame at which the first bar not composed yet begins."""

    def prepare(self) -> None:
        """Compose the next bar early. May be called from any thread."""

    def render(self, frames: Frames) -> Block:
        """Return the next `frames` of audio."""

    def control(self, patch: Mapping[str, object], later: Sequence[Mapping[str, object]] = ()) -> Mapping[str, Landing]:
        """Change controls and return where each change takes effect; `later` has the changes of the bars after that.

        Raises:
            ControlError: a control is unknown or its value out of range; nothing is changed.
        """

    def act(self, action: Action) -> Landing:
        """Do what a listener asks for as soon as possible, and return from where on it counts.

        Raises:
            ControlError: There is no such track to like or dislike.
        """

    def prime(self, prime: Prime) -> Mapping[str, Landing]:
        """Let the next track take up `prime`; return where it counts, `prime`, and where that begins, `track`."""

    def events(self) -> list[StationEvent]:
        """Return the events rendered since the last call."""

    def close(self) -> None:
        """Free the resources."""


class ResumableStation(StationLike, Protocol):
    """A station that another process can continue."""

    @property
    def mixed(self) -> Frames:
        """The next frame to be mixed, `position` or later: a change of controls reaches the station there."""

    def mark(self) -> None:
        """Remember this place, so that `rewind` can return to it."""

    def rewind(self, frame: Frames) -> bool:
        """Return to the last mark at or before `frame`, or else to the first one; False if there is none."""

    def branch(self) -> None:
        """Remember this place, just after a change, as the first one to return to if the change is settled."""

    def settle(self) -> None:
        """Let the change before `branch` stay: `rewind` does not go back before it."""

    def forget(self, frame: Frames) -> None:
        """Forget the marks that `rewind` does not need for `frame` or later."""

    def take_snapshot(self) -> Snapshot | None:
        """Return the latest bar line at which the station can go on, if there was one since the last call."""

    def resume(self, snapshot: bytes, log: Sequence[LogEntry]) -> None:
        """Go on from a snapshot, or from the beginning where it is empty, and let `log` happen again.

        Raises:
            SnapshotError: the snapshot cannot be used.
        """


class OpenResumable(Protocol):
    """A function that opens a station for a worker."""

    def __call__(self, settings: StationSettings, *, begins: bool) -> ResumableStation:
        """Return a station; if it does not begin, it goes on from a snapshot before it plays."""


OpenStation: TypeAlias = Callable[[StationSettings], StationLike]
