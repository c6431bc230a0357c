"""The queue of exports, which are rendered one at a time in a separate process."""

from __future__ import annotations

import asyncio
import functools
import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from radio.server.http.allowance import Allowance
from radio.server.http.authorization import AUTHORIZATION
from radio.server.http.client_address import client_address, network
from radio.server.http.problems import ProblemError
from radio.types import Seconds
from radio.worker.job_queue import Job, JobQueue

GUEST_ALLOWANCE: Final[Seconds] = 1_200.0
"""Audio that a guest may export per hour."""

LEAST_COST: Final[Seconds] = 30.0
"""A shorter export counts as this much audio, since starting a process has a cost, too."""

GUEST_EXPORTS: Final = 2
"""Exports of one guest that may wait or run at the same time."""


@dataclass(slots=True)
class GuestLimits:
    """Limits on the exports of clients without the control token, by address."""

    allowance: Allowance = field(default_factory=lambda: Allowance(GUEST_ALLOWANCE, 3_600.0))
    _pending: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def admit(self, request: web.Request, seconds: Seconds) -> Iterator[Callable[[], None]]:
        """Admit an export of this length while the context lasts.

        Yields:
            A function that takes the export from the client's allowance, to be called once the queue has accepted it.

        Raises:
            ProblemError: 429 if a limit is reached, or after many wrong tokens from the address.
        """
        if request.app[AUTHORIZATION].is_operator(request):
            yield lambda: None
            return
        address = client_address(request)
        client, cost = network(address), max(seconds, LEAST_COST)
        if wait := self.allowance.wait(address, cost):
            message = f"your address has exported {GUEST_ALLOWANCE:g} s of audio within an hour, which is the limit"
            raise ProblemError(429, "too_many", message, retry_after=math.ceil(wait))
        if self._pending[client] >= GUEST_EXPORTS:
            message = f"your address has {GUEST_EXPORTS} exports in progress, which is the limit"
            raise ProblemError(429, "too_many", message, retry_after=10)
        self._pending[client] += 1
        try:
            yield functools.partial(self.allowance.spend, address, cost)
        finally:
            self._pending[client] -= 1
            if not self._pending[client]:
                del self._pending[client]


EXPORT_JOBS: web.AppKey[JobQueue] = web.AppKey("export_jobs", JobQueue)
GUEST_LIMITS: web.AppKey[GuestLimits] = web.AppKey("guest_limits", GuestLimits)

_POLL_INTERVAL: Seconds = 0.5
"""Interval at which a waiting request checks that its client is still connected."""


def attach(app: web.Application) -> None:
    """Add the queue of exports and the limits of guests to the application."""
    jobs = app[EXPORT_JOBS] = JobQueue()
    app[GUEST_LIMITS] = GuestLimits()

    async def stop(_: web.Application) -> None:
        await jobs.stop()

    app.on_cleanup.append(stop)


async def wait_for(request: web.Request, job: Job) -> None:
    """Wait until a job is done, and cancel it if the client disconnects.

    Raises:
        ProblemError: 500 with the reason if the job failed, or 507 if the disk is full.
        ConnectionResetError: The client has disconnected.
    """
    while not job.finished.is_set():
        if request.transport is None or request.transport.is_closing():
            await request.app[EXPORT_JOBS].cancel(job)
            raise ConnectionResetError("the client has disconnected")
        try:
            async with asyncio.timeout(_POLL_INTERVAL):
                await job.finished.wait()
        except TimeoutError:
            continue
    if job.disk_is_full:
        raise ProblemError(507, "no_room", job.error or "the disk is full", retry_after=60)
    if job.state != "done":
        raise ProblemError(500, "failed", job.error or "the radio is stopping")
