"""A worker that replaces a station's own while that one cannot play; see `radio.station.fallback`."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from radio.errors import ServerError, StreamError
from radio.station.fallback_plan import LEAD, REPEAT_LIMIT, Fallback, Tier, tier_at
from radio.station.resume import Resume
from radio.types import Frames
from radio.worker.supervisor import WorkerProcess, start_worker
from radio.worker.wire import Message, Start, StationReady

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

_RESUME: Final = Resume(b"", (), sound_from=-LEAD, events_from=0, frame=0)


class StandIn:
    """A worker that plays a station's last bars, or its textures.

    Args:
        command: The command that runs a worker.
        settings: The station.
        fallback: The sound to play.
        ring: Descriptor of the memory with the station's latest audio.
        start: The frame of the channel at which it begins.
        on_message: Called with this object and each message of the worker.
        on_end: Called with this object when the worker has ended without `stop`.
    """

    def __init__(
        self,
        command: Sequence[str],
        settings: StationSettings,
        fallback: Fallback,
        ring: int,
        *,
        start: Frames,
        on_message: Callable[[StandIn, Message], None],
        on_end: Callable[[StandIn], None],
    ) -> None:
        self.start = start
        self._fallback = fallback
        self._command = command
        self._first_message = Start(pickle.dumps(settings), _RESUME, {}, ring, fallback)
        self._ring = ring
        self._on_message, self._on_end = on_message, on_end
        self._log = logging.getLogger(f"radio.station.{settings.name}")
        self._name = settings.name
        self._process: WorkerProcess | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def ready(self) -> bool:
        """True while the worker plays."""
        return self._process is not None and self._process.ready

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def kill(self, reason: str) -> None:
        """Kill the worker; `on_end` follows."""
        if self._process is not None:
            self._log.error("station '%s': its fallback failed: %s", self._name, reason)
            self._process.kill(reason)

    def tiers(self) -> list[tuple[Frames, Tier]]:
        """Return the tiers that it plays, each with its first frame on the channel's clock."""
        loop = self._fallback.loop
        return [(self.start, tier_at(loop, 0)), (self.start + REPEAT_LIMIT, "texture")]

    def bar_line(self, frame: Frames) -> Frames:
        """Return the first bar line at or after a frame of the channel, or the frame itself if no bars are playing."""
        played = max(0, frame - self.start)
        loop = self._fallback.loop
        repeats = loop is not None and tier_at(loop, played) == "repeat"
        return self.start + (loop.next_line(played) if loop is not None and repeats else played)

    def send(self, message: Message) -> None:
        """Send a message to the worker. It is lost if the worker has ended."""
        if self._process is not None:
            self._process.send(message)

    def stop(self) -> asyncio.Task[None]:
        """End the worker. Return a task that is done when it has ended."""
        self._task.cancel()
        return self._task

    async def _run(self) -> None:
        try:
            async with start_worker(self._command, self._log_line, [self._ring]) as process:
                self._process = process
                process.send(self._first_message)
                while (messages := await process.receive()) is not None:
                    for message in messages:
                        process.ready |= isinstance(message, StationReady)
                        self._on_message(self, message)
        except (ServerError, StreamError, OSError) as error:
            self._log.error("station '%s': its fallback failed: %s", self._name, error)
        finally:
            self._process = None
        self._on_end(self)

    def _log_line(self, line: str) -> None:
        self._log.warning("station '%s': %s", self._name, line)
