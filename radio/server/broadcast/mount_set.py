"""The mounts of a station, and the control of their encoders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from radio.stream.formats.muxers import open_muxer
from radio.stream.relay.live_edge import LiveEdge
from radio.stream.relay.mount import Mount
from radio.stream.relay.tap import Tap
from radio.types import SAMPLE_RATE, Format, Frames, Packet, Seconds
from radio.worker.pcm_ring import HISTORY
from radio.worker.wire import CloseFormat, Message, OpenFormat

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

_ENCODER_DELAY: Final[Frames] = 4_800
"""Upper bound on the frames that an encoder holds back."""


class MountSet:
    """The mounts of a station. A mount is encoded while it has listeners or taps, and for a while afterward.

    Args:
        settings: The station. Streams carry its title and description.
        edge: The station's live edge.
    """

    def __init__(self, settings: StationSettings, edge: LiveEdge) -> None:
        self._settings = settings
        self.mounts: dict[Format, Mount] = {}
        self._edge = edge
        self._closed = False

    def mount(self, format_: Format) -> Mount:
        """Return the mount of a format. It is closed if the set is."""
        if format_ not in self.mounts:
            muxer = open_muxer(format_, title=self._settings.title, description=self._settings.description)
            self.mounts[format_] = Mount(format_, muxer, now=self._edge.now)
            self.mounts[format_].advance(self._edge.live)
            if self._closed:  # a client asks for a format of a station that has just been stopped
                self.mounts[format_].close()
        return self.mounts[format_]

    def describe(self, settings: StationSettings) -> None:
        """Replace the settings. Listeners who join afterward get the new title and description."""
        self._settings = settings
        for mount in self.mounts.values():
            mount.describe(settings.title, settings.description)

    @contextmanager
    def tap(self, format_: Format, *, history: Seconds) -> Iterator[Tap]:
        """Open a tap that begins `history` seconds before the live edge, or at the oldest packet available."""
        mount = self.mount(format_)
        tap = mount.tap(self._edge.live - round(history * SAMPLE_RATE))
        try:
            yield tap
        finally:
            mount.untap(tap)

    def add(self, format_: Format, packet: Packet) -> None:
        """Add the next packet of a format, stamped on the channel's clock."""
        self.mount(format_).add(packet)

    def cut(self, frame: Frames, *, fades: bool = False) -> None:
        """Drop the unreleased packets with audio at `frame` or later, which others will replace.

        Args:
            frame: A frame of the channel.
            fades: Whether the new audio differs from the dropped audio; see `Mount.cut`.
        """
        for mount in self.mounts.values():
            mount.cut(frame, fades=fades)

    def advance(self, send: Callable[[Message], None] | None, offset: Frames) -> None:
        """Release the packets that are due, and have the worker start and stop encoders as needed.

        Args:
            send: Sends a message to the worker; None if there is no worker.
            offset: The channel's frame at the worker's frame 0.
        """
        for mount in self.mounts.values():
            if send is not None and mount.needed != mount.encoding:
                self._open_or_close(mount, send, offset)
            mount.advance(self._edge.live)

    def reopen(self, send: Callable[[Message], None], offset: Frames) -> None:
        """Have a new worker encode the formats that the last one encoded, starting where they end."""
        for mount in self.mounts.values():
            if mount.encoding:
                self._open(mount, send, offset)

    def end_after_worker(self) -> Frames:
        """Return the frame at which the next worker must begin, so that no stream has a gap.

        Encoders hold a few packets back. A mount whose burst was still being encoded loses the rest of the burst.
        """
        ends = [mount.end for mount in self.mounts.values() if mount.encoding and mount.end is not None]
        return min((end for end in ends if end > self._edge.end - _ENCODER_DELAY), default=self._edge.end)

    def close(self) -> None:
        """Disconnect all listeners and end all taps, also those that come later."""
        self._closed = True
        for mount in self.mounts.values():
            mount.close()

    def _open_or_close(self, mount: Mount, send: Callable[[Message], None], offset: Frames) -> None:
        if mount.encoding:
            send(CloseFormat(mount.format))
            mount.encoding = False
        else:
            mount.resume_from(self._encoding_start(mount))
            self._open(mount, send, offset)

    def _open(self, mount: Mount, send: Callable[[Message], None], offset: Frames) -> None:
        send(OpenFormat(mount.format, self._encoding_start(mount) - offset))
        mount.encoding = True

    def _encoding_start(self, mount: Mount) -> Frames:
        """Return the frame at which to start encoding a mount: its end, or the oldest frame still available."""
        return max(self._edge.live - round(HISTORY * SAMPLE_RATE), mount.end or 0)
