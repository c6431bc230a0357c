"""The tiers below the music: sound for the time while the worker of a station cannot play."""

from __future__ import annotations

import asyncio
import logging
import os
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from radio.server.broadcast.mount_set import MountSet
from radio.server.broadcast.reserve import render_until
from radio.server.broadcast.stall_watch import StallWatch, processor_time_of
from radio.server.broadcast.stand_in import StandIn
from radio.server.broadcast.tiers import Tiers
from radio.station.fallback_plan import Fallback, Loop
from radio.stream.relay.live_edge import LiveEdge
from radio.types import SAMPLE_RATE, Format, Frames, Seconds
from radio.worker.pcm_ring import RING_LENGTH, create_memory
from radio.worker.wire import Encoded, EncoderFailed, Message, Render, Rendered, StationReady

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

LOW_RESERVE: Final[Seconds] = 5.0
"""Reserve of a station without a worker at which a stand-in is started. This takes a second, more on a busy machine."""

_DELAY: Final[Seconds] = 1.0
"""Time after the end of a stand-in before another one is started."""


class StandIns:
    """The stand-ins of a station: one at a time, from where its music stops until it resumes.

    Args:
        name: The station.
        command: The command that runs a worker.
        edge, mounts: The station's, which receive the audio.
        on_encoder_failure: Called with the format and the reason.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        edge: LiveEdge,
        mounts: MountSet,
        on_encoder_failure: Callable[[Format, str], None],
    ) -> None:
        self.tiers = Tiers()
        self.ring = create_memory()
        """Descriptor of the memory with the station's latest audio, which outlives workers."""
        weakref.finalize(self, os.close, self.ring)
        self.current: StandIn | None = None
        self.stopped_at: Frames | None = None
        """The frame, on the station's clock, at which the music stopped; None while it plays."""
        self._name, self._command = name, command
        self._edge, self._mounts = edge, mounts
        self._on_encoder_failure = on_encoder_failure
        self._log = logging.getLogger(f"radio.station.{name}")
        self._known: tuple[Frames, Frames] = (0, 0)
        """The first frame of the piece in the ring, on the station's clock, and the frame after the last one."""
        self._requested: Frames = 0
        """The frame of the channel up to which audio was requested from the stand-in."""
        self._stall_watch = StallWatch()
        self._not_before = float("-inf")
        self._ending: set[asyncio.Task[None]] = set()

    def begin_piece(self, frame: Frames) -> None:
        """Record that the audio in the ring before `frame`, on the station's clock, belongs to another piece."""
        self._known = frame, frame

    def rendered(self, frame: Frames) -> None:
        """Record that the ring contains the station's audio before `frame`, on the station's clock."""
        first, end = self._known
        self._known = first, max(end, frame)

    def watch(self) -> None:
        """Follow the live edge, log changes of the tier, and kill a stalled stand-in, which another one replaces."""
        self._watch_stand_in()
        if self.tiers.advance(self._edge.live):
            if self.tiers.current == "music":
                self._log.info("station '%s': its music is back", self._name)
            else:
                sounds = {"repeat": "repeating its last bars", "texture": "playing only its textures"}
                self._log.error("station '%s': it cannot play; %s", self._name, sounds[self.tiers.current])

    def _watch_stand_in(self) -> None:
        stand_in, watch = self.current, self._stall_watch
        owes = stand_in is not None and stand_in.ready and self._edge.end < self._requested
        pid = None if stand_in is None else stand_in.pid
        over = watch.is_over(owes=owes, reserve=self._edge.reserve, processor_time=lambda: processor_time_of(pid))
        if over and stand_in is not None:
            stand_in.kill(f"it sent nothing for {watch.silence:.1f} s")
            watch.reset()

    @property
    def is_due(self) -> bool:
        """True if a stand-in must be started for a station that has no worker."""
        low = self._edge.reserve < LOW_RESERVE
        return self.current is None and low and self._edge.now() >= self._not_before

    def begin(self, settings: StationSettings, stopped_at: Frames, lines: Sequence[Frames]) -> None:
        """Start a stand-in that begins where the audio ends.

        Args:
            settings: The station.
            stopped_at: The same frame, on the station's clock.
            lines: Bar lines of the music before it.
        """
        if self.stopped_at is None:
            self.stopped_at = stopped_at
        self._requested = 0
        first, end = self._known
        loop = Loop.of(lines, max(first, end - round(RING_LENGTH * SAMPLE_RATE)), self.stopped_at)
        fallback = Fallback(loop, end)
        self.current = StandIn(
            self._command,
            settings,
            fallback,
            self.ring,
            start=self._edge.end,
            on_message=self._on_message,
            on_end=self._on_end,
        )
        for frame, tier in self.current.tiers():
            self.tiers.plan(frame, tier)

    def request_audio(self) -> None:
        """Request audio from the stand-in to fill the reserve."""
        if self.current is not None:
            self._requested = render_until(self._edge.live, self._edge.end)
            until = self._requested - self.current.start
            self.current.send(Render(until, until))

    def place_of_music(self, lines: Sequence[Frames]) -> Frames | None:
        """Return the frame where the music resumes, on its own clock; None if it has not stopped.

        That is where it stopped or, if the stand-in has been heard, the bar line before.
        """
        if self.stopped_at is None or self.current is None or self._edge.live < self.current.start:
            return self.stopped_at
        return max((line for line in lines if line <= self.stopped_at), default=self.stopped_at)

    def end(self, frame: Frames, lead: Frames) -> Frames | None:
        """End the stand-in, and return the frame of the channel where the music resumes; None if it has not stopped.

        Args:
            frame: The first frame of the music, on its own clock.
            lead: Frames after the live edge that can no longer be replaced.
        """
        if self.stopped_at is None:
            return None
        stand_in, unheard = self.current, frame == self.stopped_at
        self.current = self.stopped_at = None
        if stand_in is None:
            self.tiers.plan(self._edge.end, "music")
            return self._edge.end
        early = self._edge.live + lead
        unheard = unheard and early <= stand_in.start
        place = stand_in.start if unheard else stand_in.bar_line(max(early, stand_in.start))
        if place > self._edge.end:
            place = min(early, self._edge.end)
        self.tiers.plan(place, "music")
        ending = stand_in.stop()
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return place

    async def stop(self) -> None:
        """End all processes."""
        tasks = [*self._ending, *([] if self.current is None else [self.current.stop()])]
        await asyncio.gather(*tasks, return_exceptions=True)

    def _on_message(self, stand_in: StandIn, message: Message) -> None:
        if stand_in is not self.current:
            return
        self._stall_watch.reset()
        match message:
            case StationReady():
                self.request_audio()
                self._mounts.reopen(stand_in.send, stand_in.start)
            case Encoded(format_, packet):
                self._mounts.add(format_, replace(packet, frame=packet.frame + stand_in.start))
            case Rendered(frame):
                self._edge.extend(frame + stand_in.start)
            case EncoderFailed(format_, reason):
                self._on_encoder_failure(format_, reason)

    def _on_end(self, stand_in: StandIn) -> None:
        if stand_in is self.current:
            self.current = None
            self._not_before = self._edge.now() + _DELAY
            place = self._mounts.end_after_worker()
            self._edge.rewind(place)
            self._mounts.cut(place, fades=True)
