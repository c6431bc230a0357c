"""One format of one station: its chunks, its listeners and taps, and whether it needs an encoder."""

from __future__ import annotations

import time
from collections.abc import Callable

from radio.stream.formats.muxers import Muxer
from radio.stream.relay.relay import Relay
from radio.stream.relay.ring import Ring
from radio.stream.relay.tap import Tap
from radio.types import Format, Frames, Packet, Seconds

LINGER: Seconds = 60.0
"""An encoder goes on for this long after its last listener: who comes back at once finds it at work."""


class Mount:
    """Takes packets, lets them out at the live edge.

    Args:
        format: What it carries.
        muxer: Makes the packets what listeners get.
        now: Monotonic seconds.
    """

    def __init__(
        self,
        format_: Format,
        muxer: Muxer,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.format = format_
        self.ring = Ring()
        self.relay = Relay(self.ring, now, muxer.headers, muxer.skip)
        self.encoding = False
        """Whether the worker has been asked for packets."""
        self._muxer = muxer
        self._now = now
        self._taps: set[Tap] = set()
        self._used = now()

    @property
    def end(self) -> Frames | None:
        """The frame at which the packet that is due starts; none before the first."""
        return self._muxer.end

    @property
    def needed(self) -> bool:
        """Whether anybody listens, or did a moment ago."""
        if self._taps or self.relay.listeners:
            self._used = self._now()
            return True
        return self.encoding and self._now() - self._used <= LINGER

    def resume_from(self, frame: Frames) -> None:
        """Take note that it is encoded from `frame` on, after a time in which nobody needed it."""
        if self.end is not None and frame > self.end:
            self._muxer.restart()

    def add(self, packet: Packet) -> None:
        """Take the next packet, stamped on the station's clock."""
        for chunk in self._muxer.add(packet):
            self.ring.add(chunk)

    def advance(self, live: Frames) -> None:
        """Let out what the live edge has reached; called on every tick."""
        if self.ring.advance(live):
            for tap in self._taps:
                tap.wake()
        self.relay.advance()

    def tap(self, start: Frames) -> Tap:
        """The packets from frame `start` on, for as long as it is not removed."""
        tap = Tap(self.ring, start)
        self._taps.add(tap)
        return tap

    def untap(self, tap: Tap) -> None:
        """Remove a tap."""
        tap.close()
        self._taps.discard(tap)

    def close(self) -> None:
        """Disconnect the listeners, end the taps."""
        self.relay.close()
        for tap in list(self._taps):
            self.untap(tap)
