"""A station on the air: its music, its streams, and the requests of its clients."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final

from radio.errors import ControlError, ServerError
from radio.server.broadcast.event_stream import Subscribers
from radio.server.broadcast.hls_listeners import HlsListeners
from radio.server.broadcast.journal import Journal
from radio.server.broadcast.now_playing import NowPlaying
from radio.server.broadcast.piece import Piece
from radio.server.broadcast.playout import Playout
from radio.server.broadcast.saved_station import SavedStation, aired_tracks
from radio.server.broadcast.state_folder import StateFolder
from radio.server.broadcast.station_files import FileCopies
from radio.server.broadcast.tiers import Tiers
from radio.server.broadcast.worker_runs import WorkerRun
from radio.settings.controls import Controls
from radio.stream.relay.live_edge import LiveEdge
from radio.stream.relay.mount import Mount
from radio.stream.relay.tap import Tap
from radio.stream.relay.wall_clock import WallClock
from radio.types import BURST_LIMIT, Action, Format, Frames, JsonValue, Landing, Seconds
from radio.worker.supervisor import WORKER_COMMAND
from radio.worker.wire import ChangeControls, PerformAction, PrimeStation

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

_SHOWN: Final = frozenset({"title", "description", "image", "push", "controls"})
"""Settings that a running worker does not need."""

SAVE_INTERVAL: Seconds = 10.0
"""Time between saves of the state. After a kill, at most this much music is repeated."""

_LEAST_DELAY: Final[Seconds] = 5.0
"""Minimum delay to catch up on after a restart, so that the first listeners have some audio in reserve."""


class Channel:
    """A station on the air.

    Args:
        settings: The station.
        worker: The command that runs the worker; tests pass one with a different station.
        states: The folder for the station's state; None keeps it only in memory.
        copies: Copies the station's files; files that several stations share are copied once.
        clock: The clock by which audio is released.
    """

    def __init__(
        self,
        settings: StationSettings,
        *,
        worker: Sequence[str] = WORKER_COMMAND,
        states: StateFolder | None = None,
        copies: FileCopies | None = None,
        clock: WallClock | None = None,
    ) -> None:
        self.hls_listeners = HlsListeners()
        self._clock = clock or WallClock()
        self._piece = Piece(settings)
        self._playout = Playout(self._piece, worker, states, copies or FileCopies(), self._clock)
        self._states = states
        self._log = logging.getLogger(f"radio.station.{settings.name}")
        self._tasks: list[asyncio.Task[None]] = []
        self._writing: asyncio.Task[None] | None = None
        """The last save of the state. Its thread continues even if `save_state` is cancelled."""
        if states is not None:
            self._take_over(states)

    @property
    def settings(self) -> StationSettings:
        return self._piece.settings

    @property
    def controls(self) -> Controls:
        """The controls as last requested. A change may not be audible yet."""
        return self._piece.controls

    @property
    def postponed(self) -> frozenset[str]:
        """The controls whose changes wait for the music to resume."""
        return self._piece.postponed.names

    @property
    def muted(self) -> bool:
        """True if every layer is muted, and no change is postponed."""
        return self.controls.silent and not self.postponed

    @property
    def runs(self) -> deque[WorkerRun]:
        """The last runs, each with its settings and changes."""
        return self._piece.runs

    @property
    def edge(self) -> LiveEdge:
        return self._playout.edge

    @property
    def now_playing(self) -> NowPlaying:
        return self._playout.events.now_playing

    @property
    def journal(self) -> Journal:
        return self._playout.events.journal

    @property
    def subscribers(self) -> Subscribers:
        return self._playout.events.subscribers

    @property
    def mounts(self) -> Mapping[Format, Mount]:
        """The mounts requested so far."""
        return self._playout.mounts.mounts

    @property
    def tiers(self) -> Tiers:
        """The sound at the live edge: the music or a stand-in."""
        return self._playout.stand_ins.tiers

    @property
    def pid(self) -> int | None:
        return self._playout.worker.pid

    @property
    def restarts(self) -> int:
        """The number of workers that were replaced."""
        return self._playout.worker.restarts

    @property
    def encoder_restarts(self) -> int:
        return self._playout.encoder_restarts

    @property
    def rewinds(self) -> int:
        """The number of times that part of the reserve was rendered again because of a change."""
        return self._playout.rewinds

    @property
    def faults(self) -> Counter[str]:
        """The number of failures while the station played, by kind of fault."""
        return self._playout.faults

    @property
    def listeners(self) -> int:
        """The number of listeners of all mounts and of HLS."""
        return self._connected + len(self.hls_listeners)

    @property
    def limited_listeners(self) -> int:
        """The number of listeners for limits, which count all HLS listeners of a network as one."""
        return self._connected + self.hls_listeners.networks

    @property
    def _connected(self) -> int:
        return sum(mount.relay.listeners for mount in self.mounts.values())

    @property
    def starved(self) -> int:
        """The number of listeners whose players have nothing to play."""
        return sum(mount.relay.starved for mount in self.mounts.values())

    async def start(self) -> None:
        """Start the worker, and return when the station is on the air.

        Raises:
            ServerError: The worker could not open the station, or ended before the station was on the air. Until
                `stop`, more workers are started, and textures play until one opens the station.
        """
        self._tasks = [asyncio.create_task(self._playout.run()), asyncio.create_task(self._playout.worker.run())]
        if self._states is not None:
            self._tasks.append(asyncio.create_task(self._keep_state()))
        await asyncio.wait([self._playout.on_air, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            if task.done():
                task.result()
        self._playout.on_air.result()

    async def ended(self) -> None:
        """Wait until cancelled. Raise any unexpected error, since a silent station would look healthy otherwise."""
        await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Disconnect the listeners and end the worker."""
        for task in reversed(self._tasks):
            task.cancel()
        saving = asyncio.create_task(self.save_state())
        await asyncio.gather(*self._tasks, self._playout.stand_ins.stop(), return_exceptions=True)
        await saving
        self._playout.mounts.close()
        self.subscribers.close()
        self._playout.on_air.cancel()

    def release_ahead(self, seconds: Seconds) -> None:
        """Release up to `seconds` of rendered audio immediately, for players to use while the radio restarts."""
        self._playout.release_ahead(seconds)

    async def change_controls(
        self, patch: Mapping[str, JsonValue], later: Sequence[Mapping[str, JsonValue]] = ()
    ) -> Mapping[str, Landing]:
        """Change controls, and return where each change takes effect, on the channel's clock.

        While a stand-in plays, return an empty mapping: the next worker makes the change where it resumes.

        Args:
            patch: Values by control.
            later: Changes in the bars after that, in order. `controls` has the final values immediately; the history
                has each step once the worker has made it.

        Raises:
            ControlError: A name or a value is not allowed; nothing has changed.
            ServerError: The worker is being restarted or does not answer.
        """
        for step in (patch, *later):
            self.controls.changed(step)  # raises errors without a round trip to the worker
        if not self._playout.postpones:
            try:
                landed = await self._playout.ask(lambda number: ChangeControls(number, patch, tuple(later)))
                return self._piece.change_controls(landed, patch, later)
            except ServerError:
                if not self._playout.postpones:
                    raise
        self._piece.postpone(patch, later)
        return {}

    async def reconfigure(self, settings: StationSettings) -> None:
        """Replace the settings; the streams continue.

        Controls that were changed on the air keep their values unless the config has changed them. If a changed
        setting affects the music or the sound, a new worker continues the piece with the changed controls. A different
        seed begins a new piece.

        Raises:
            ServerError: The worker is being restarted or does not answer. The settings are replaced anyway, but not
                the controls, so that the next call changes them.
        """
        before = self.settings
        self._piece.settings = settings
        self._playout.mounts.describe(settings)
        names = [field.name for field in fields(settings) if field.name not in _SHOWN]
        changed_controls = settings.controls.changes_from(before.controls)
        if any(getattr(settings, name) != getattr(before, name) for name in names):
            if settings.seed not in (0, before.seed):
                self._piece.forget()
            if changed_controls:
                self._piece.postpone(changed_controls)  # the next worker may take long to answer a request
            self._playout.worker.replace(settings)
        elif changed_controls:
            try:
                await self.change_controls(changed_controls)
            except ServerError:
                self._piece.settings = replace(settings, controls=before.controls)
                raise

    async def act(self, action: Action) -> Landing:
        """Perform a listener's action at the next bar that is not composed yet; return where it takes effect.

        A like or dislike without a track applies to the one at the live edge.

        Raises:
            ControlError: There is no such track to like or dislike.
            ServerError: The worker is being restarted or does not answer.
        """
        if action.kind in ("like", "dislike") and action.track is None and self.now_playing.tracks:
            action = replace(action, track=self.now_playing.tracks[-1].event.number)
        landed = await self._playout.ask(lambda number: PerformAction(number, action.kind, action.track))
        return self._piece.act(landed, action)

    async def prime_station(self, prime: Mapping[str, JsonValue]) -> Landing:
        """Make the next tracks start from a prime, and return where the first of them begins.

        Raises:
            ServerError: The worker is being restarted or does not answer.
        """
        landed = await self._playout.ask(lambda number: PrimeStation(number, prime))
        return self._piece.prime(landed, prime)

    def record_stream_start(self, sid: str, first: Frames) -> None:
        """Record the first frame of the audio stream `sid`, and send it to the event streams of the same `sid`."""
        self.subscribers.record_stream_start(sid, first, self.edge.live)

    def mount(self, format_: Format) -> Mount:
        """Return the mount of a format. It is encoded while it has listeners or taps, and for a while afterward."""
        return self._playout.mounts.mount(format_)

    @contextlib.asynccontextmanager
    async def tap(self, format_: Format, *, history: Seconds = 0.0) -> AsyncIterator[Tap]:
        """Open a tap, which yields the packets of a format, on the channel's clock, as the live edge reaches them.

        A tap continues across restarts of the worker. Iterating raises StreamError if the reader falls behind by a
        minute; a slow reader does not delay others.

        Args:
            format_: The format; its encoder is started if necessary, and runs until the tap is closed.
            history: Seconds of past audio to begin with, as available; at most 30.
        """
        with self._playout.mounts.tap(format_, history=history) as tap:
            yield tap

    async def save_state(self) -> None:
        """Save the state from which another process can resume the station, if there is a state folder."""
        if self._states is None:
            return
        place = self._playout.place_of_music
        if (saved := self._piece.saved(self.edge.live, self.now_playing.tracks, place)) is None:
            return
        while self._writing is not None and not self._writing.done():
            await asyncio.wait([self._writing])
        self._writing = asyncio.create_task(self._write(self._states, saved))
        await asyncio.shield(self._writing)

    async def _write(self, states: StateFolder, saved: SavedStation) -> None:
        try:
            await asyncio.to_thread(states.write, self.settings.name, saved)
        except OSError as error:
            self._log.error("station '%s': its state cannot be saved: %s", self.settings.name, error)

    async def _keep_state(self) -> None:
        while True:
            await self._clock.sleep(SAVE_INTERVAL)
            await self.save_state()

    def _take_over(self, states: StateFolder) -> None:
        """Resume the saved piece, unless the config has a different seed."""
        saved = states.load(self.settings.name)
        if saved is None:
            return
        if self.settings.seed not in (0, saved.asked_seed):
            self._log.warning("station '%s' begins a new piece: its seed was changed", self.settings.name)
            return
        try:
            self._piece.take_over(saved)
        except ControlError as error:
            states.set_aside(self.settings.name, str(error))
            return
        self.now_playing.tracks.extend(aired_tracks(saved))
        delay = time.time() - saved.saved_at
        self.edge.resume(saved.live, delay=min(max(_LEAST_DELAY, delay), BURST_LIMIT))
