"""The mounts of a station, and which of them its worker encodes."""

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
"""More frames than any encoder holds back."""


class MountSet:
    """The mounts of a station. A mount is encoded while it has listeners or taps, and for a while after.

    Args:
        settings: The station, whose title and description streams carry.
        edge: The station's live edge.
    """

    def __init__(self, settings: StationSettings, edge: LiveEdge) -> None:
        self._settings = settings
        self.mounts: dict[Format, Mount] = {}
        self._edge = edge

    def mount(self, format_: Format) -> Mount:
        """Return the mount of a format."""
        if format_ not in self.mounts:
            muxer = open_muxer(format_, title=self._settings.title, description=self._settings.description)
            self.mounts[format_] = Mount(format_, muxer, now=self._edge.now)
            self.mounts[format_].advance(self._edge.live)
        return self.mounts[format_]

    def describe(self, settings: StationSettings) -> None:
        """Replace the settings: listeners who join from now on get their title and description."""
        self._settings = settings
        for mount in self.mounts.values():
            mount.describe(settings.title, settings.description)

    @contextmanager
    def tap(self, format_: Format, *, history: Seconds) -> Iterator[Tap]:
        """Open a tap that begins `history` seconds before the live edge, as far as they are available."""
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
        """Drop the packets that hold audio from `frame` on and are not released: others take their place.

        Args:
            frame: A frame of the channel.
            fades: Whether the other audio is not that which was dropped; see `Mount.cut`.
        """
        for mount in self.mounts.values():
            mount.cut(frame, fades=fades)

    def advance(self, send: Callable[[Message], None] | None, offset: Frames) -> None:
        """Release what is due, and let the worker start and stop encoders as they are needed.

        Args:
            send: Sends a message to the worker; None while there is none.
            offset: The channel's frame is the worker's plus this.
        """
        for mount in self.mounts.values():
            if send is not None and mount.needed != mount.encoding:
                self._open_or_close(mount, send, offset)
            mount.advance(self._edge.live)

    def reopen(self, send: Callable[[Message], None], offset: Frames) -> None:
        """Let a new worker encode the formats that the last one encoded, from where they end."""
        for mount in self.mounts.values():
            if mount.encoding:
                self._open(mount, send, offset)

    def end_after_worker(self) -> Frames:
        """Return the frame at which the next worker must begin, so that no stream has a hole.

        Encoders hold a few packets back. A mount whose burst was still being encoded loses the rest of the burst.
        """
        ends = [mount.end for mount in self.mounts.values() if mount.encoding and mount.end is not None]
        return min((end for end in ends if end > self._edge.end - _ENCODER_DELAY), default=self._edge.end)

    def close(self) -> None:
        """Disconnect all listeners and end all taps."""
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
        """Return the frame from which to encode a mount: its end, or the oldest frame that a listener may ask for."""
        return max(self._edge.live - round(HISTORY * SAMPLE_RATE), mount.end or 0)
