"""A mount: the stream of one station in one format, with its listeners and taps."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from radio.stream.formats.muxers import Muxer
from radio.stream.formats.pcm import crossfaded
from radio.stream.relay.relay import Relay
from radio.stream.relay.ring import LISTENER_HISTORY, Ring
from radio.stream.relay.tap import Tap
from radio.types import LISTENER_FORMATS, Format, Frames, Packet, Seconds

LINGER: Seconds = 60.0
"""Time for which an encoder keeps running after the last listener has left, in case one returns."""


class Mount:
    """A stream in one format that releases its packets at the live edge.

    Args:
        format_: the format of the packets.
        muxer: converts packets to the bytes that listeners get.
        now: returns monotonic seconds.
    """

    def __init__(
        self,
        format_: Format,
        muxer: Muxer,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.format = format_
        self.ring = Ring(LISTENER_HISTORY) if format_ in LISTENER_FORMATS else Ring()
        self.relay = Relay(self.ring, now, muxer.headers, muxer.skip)
        self.encoding = False
        """True while the worker encodes this format."""
        self._muxer = muxer
        self._waiting: deque[Packet] = deque()
        """Packets that the live edge has not reached yet; they can still be replaced."""
        self._faded: Packet | None = None
        """A dropped packet of samples, to be crossfaded with its replacement."""
        self._now = now
        self._taps: set[Tap] = set()
        self._closed = False
        self._last_used = now()

    @property
    def end(self) -> Frames | None:
        """The frame at which the next packet should start; None before the first packet."""
        if self._waiting:
            last = self._waiting[-1]
            return last.frame + last.frames
        return self._muxer.end

    @property
    def needed(self) -> bool:
        """True while there are listeners or taps, and for `LINGER` afterwards."""
        if self._taps or self.relay.listeners:
            self._last_used = self._now()
            return True
        return self.encoding and self._now() - self._last_used <= LINGER

    def describe(self, title: str, description: str) -> None:
        """Set the title and the description for listeners who join later, if the format has them."""
        self._muxer.describe(title, description)
        self.relay.headers = self._muxer.headers

    def resume_from(self, frame: Frames) -> None:
        """Prepare for packets starting at `frame`, after a time in which the format was not encoded."""
        if self.end is not None and frame > self.end:
            self._muxer.restart()

    def add(self, packet: Packet) -> None:
        """Add the next packet, stamped with the station's frame.

        A packet that overlaps earlier ones is dropped: the last packets of a closed encoder may still arrive after a
        new encoder was opened at the same frame.
        """
        if self.end is None or packet.frame >= self.end:
            before, self._faded = self._faded, None
            if before is not None and (before.frame, before.frames) == (packet.frame, packet.frames):
                packet = replace(packet, data=crossfaded(before.data, packet.data))
            self._waiting.append(packet)

    def cut(self, frame: Frames, *, fades: bool = False) -> None:
        """Drop the unreleased packets that contain audio from `frame` onward.

        With `fades`, PCM samples are crossfaded with their replacement over one packet. The other formats need no
        crossfade, because their decoders overlap consecutive packets.
        """
        first = None
        while self._waiting and self._waiting[-1].frame + self._waiting[-1].frames > frame:
            first = self._waiting.pop()
        self._faded = first if fades and self.format == "pcm" else None

    def advance(self, live: Frames) -> None:
        """Release the audio before frame `live`. Called on every tick."""
        while self._waiting and self._waiting[0].frame + self._waiting[0].frames <= live:
            for chunk in self._muxer.add(self._waiting.popleft()):
                self.ring.add(chunk)
        if self.ring.advance(live):
            for tap in self._taps:
                tap.wake()
        self.relay.advance()

    def tap(self, start: Frames) -> Tap:
        """Add a tap that yields the packets starting at frame `start`, until it is removed with `untap`.

        The tap of a closed mount yields nothing.
        """
        tap = Tap(self.ring, start)
        self._taps.add(tap)
        if self._closed:
            tap.close()
        return tap

    def untap(self, tap: Tap) -> None:
        """Remove a tap."""
        tap.close()
        self._taps.discard(tap)

    def close(self) -> None:
        """Disconnect the listeners and end the taps."""
        self._closed = True
        self.relay.close()
        for tap in list(self._taps):
            self.untap(tap)
