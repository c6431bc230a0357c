"""The queue of exports: one is rendered at a time, in a process beside the stations."""

from __future__ import annotations

import asyncio

from aiohttp import web

from radio.server.http.problems import ProblemError
from radio.types import Seconds
from radio.worker.job_queue import Job, JobQueue

EXPORT_JOBS: web.AppKey[JobQueue] = web.AppKey("export_jobs", JobQueue)

_POLL_INTERVAL: Seconds = 0.5
"""Interval at which a waiting request checks that its client is still connected."""


def attach(app: web.Application) -> None:
    """Give the application a queue of exports."""
    jobs = app[EXPORT_JOBS] = JobQueue()

    async def stop(_: web.Application) -> None:
        await jobs.stop()

    app.on_cleanup.append(stop)


async def wait_for(request: web.Request, job: Job) -> Job:
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
    return job
