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
        """The frame at which the first bar that is not composed yet begins."""

    def prepare(self) -> None:
        """Compose the next bar early. May be called from any thread."""

    def render(self, frames: Frames) -> Block:
        """Return the next `frames` of audio."""

    def control(self, patch: Mapping[str, object], later: Sequence[Mapping[str, object]] = ()) -> Mapping[str, Landing]:
        """Change controls and return where each change takes effect; `later` has changes for the bars after that.

        Raises:
            ControlError: a control is unknown or its value out of range; nothing is changed.
        """

    def act(self, action: Action) -> Landing:
        """Perform a listener's action as soon as possible, and return where it takes effect.

        Raises:
            ControlError: The track to like or dislike does not exist.
        """

    def prime(self, prime: Prime) -> Mapping[str, Landing]:
        """Base the next tracks on `prime`. Return `prime`, where that takes effect, and `track`, where they begin."""

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
        """Return to the last mark at or before `frame`, or else to the first mark. Return False if there is none."""

    def branch(self) -> None:
        """Remember this place, just after a change, as the first one to return to once the change is settled."""

    def settle(self) -> None:
        """Make the change before `branch` final: `rewind` will not go back before it."""

    def forget(self, frame: Frames) -> None:
        """Forget the marks that `rewind` will not need if only called for `frame` or later."""

    def take_snapshot(self) -> Snapshot | None:
        """Return a snapshot of the latest bar line, if there has been one since the last call."""

    def resume(self, snapshot: bytes, log: Sequence[LogEntry]) -> None:
        """Resume from a snapshot, or from the beginning if it is empty, and replay `log`.

        Raises:
            SnapshotError: the snapshot cannot be used.
        """


class OpenResumable(Protocol):
    """A function that opens a station for a worker."""

    def __call__(self, settings: StationSettings, *, begins: bool) -> ResumableStation:
        """Return a station. If `begins` is False, it must resume from a snapshot before it plays."""


OpenStation: TypeAlias = Callable[[StationSettings], StationLike]
