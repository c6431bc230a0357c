"""The jobs of this front: exports, and whatever else is long; one at a time, beside the stations."""

from __future__ import annotations

import asyncio

from aiohttp import web

from radio.server.http.problems import ProblemError
from radio.types import Seconds
from radio.worker.job_queue import Job, JobQueue

EXPORT_JOBS: web.AppKey[JobQueue] = web.AppKey("jobs", JobQueue)

_LOOK: Seconds = 0.5
"""Between two looks whether whoever waits is still there."""


def attach(app: web.Application) -> None:
    """Give the application its jobs, which end with it."""
    jobs = app[EXPORT_JOBS] = JobQueue()

    async def stop(_: web.Application) -> None:
        await jobs.stop()

    app.on_cleanup.append(stop)


async def awaited(request: web.Request, job: Job) -> Job:
    """Wait until a job is done; it is cancelled where the client leaves before.

    Raises:
        ProblemError: 500 where it failed, with its own words.
    """
    while not job.finished.is_set():
        if request.transport is None or request.transport.is_closing():
            await request.app[EXPORT_JOBS].cancel(job)
            raise ConnectionResetError("whoever asked is gone")
        try:
            async with asyncio.timeout(_LOOK):
                await job.finished.wait()
        except TimeoutError:
            continue
    if job.state != "done":
        raise ProblemError(500, "failed", job.error or "the radio is being stopped")
    return job
