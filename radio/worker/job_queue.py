"""Long work beside the radio: each job in a process of its own, one after the other, bounded in every way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import pickle
import secrets
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from radio.errors import ServerError
from radio.types import Seconds
from radio.worker.job_process import Task
from radio.worker.scratch import ScratchFolder, delete_abandoned

JOB_COMMAND: Final[tuple[str, ...]] = (sys.executable, "-P", "-m", "radio.worker.job_process")

TIME_LIMIT: Final[Seconds] = 20 * 60.0
"""A job that runs for longer is ended."""

MAX_RESULTS: Final = 32
"""Finished jobs whose results are kept; the oldest go first."""

MAX_RESULT_BYTES: Final = 2 * 2**30
"""And how many bytes these may hold in all."""

RESULT_LIFETIME: Final[Seconds] = 3600.0
"""And for how long."""

_PREFIX: Final = "radio-work-"
_LINE: Final = 65_536
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_log = logging.getLogger("radio.jobs")

State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(eq=False, slots=True)
class Job:
    """One piece of work. Its `id` is not to be guessed: whoever knows it may read the result."""

    id: str
    task: Task
    folder: Path
    state: State = "waiting"
    progress: float = 0.0
    """How much is done, 0–1."""
    result: Path | None = None
    error: str | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def size(self) -> int:
        """Bytes of its result: a file, or a folder of files."""
        if self.result is None:
            return 0
        files = self.result.iterdir() if self.result.is_dir() else [self.result]
        return sum(file.stat().st_size for file in files)


class JobQueue:
    """Takes tasks, runs `at_once` of them at a time, and keeps the results of the last ones in a temporary folder.

    Args:
        max_running: How many processes may work at the same time.
        max_waiting: How many jobs may wait beside these.
        time_limit: How long one may run.
        max_result_bytes: How many bytes the results may hold in all; the last one is kept whatever it holds.
        result_lifetime: How long a result is kept.
    """

    def __init__(
        self,
        *,
        max_running: int = 1,
        max_waiting: int = 8,
        time_limit: Seconds = TIME_LIMIT,
        max_result_bytes: int = MAX_RESULT_BYTES,
        result_lifetime: Seconds = RESULT_LIFETIME,
    ) -> None:
        self.max_running = max_running
        self.max_waiting = max_waiting
        self.time_limit = time_limit
        self.max_result_bytes = max_result_bytes
        self.result_lifetime = result_lifetime
        self._scratch: ScratchFolder | None = None
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[Job, asyncio.Task[None]] = {}
        self._free = asyncio.Semaphore(max_running)

    def submit(self, task: Task) -> Job:
        """Queue a task; it starts as soon as there is room.

        Raises:
            ServerError: As many wait already as may, or there is no room for their files.
        """
        if len(self._tasks) >= self.max_running + self.max_waiting:
            raise ServerError(f"{len(self._tasks)} jobs are under way or wait already; try again in a minute")
        name = secrets.token_urlsafe(12)
        job = Job(name, task, self._room() / name)
        self._jobs[name] = job
        self._tasks[job] = asyncio.create_task(self._see_through(job))
        # Not the coroutine's own `finally`: one that is cancelled before its first step never gets there.
        self._tasks[job].add_done_callback(lambda _: self._finish(job))
        return job

    def _room(self) -> Path:
        """Where all jobs have their folders."""
        if self._scratch is not None and not self._scratch.path.is_dir():  # not all that clean /tmp look for locks
            self._scratch.delete()
            self._scratch = None
        if self._scratch is None:
            try:
                self._scratch = ScratchFolder(_PREFIX)
            except OSError as error:
                raise ServerError(f"this machine has no room for a job: {error.strerror or error}") from error
            asyncio.get_running_loop().run_in_executor(None, delete_abandoned, _PREFIX)
        return self._scratch.path

    def get(self, name: str) -> Job | None:
        """The job of this id; None where there is none, or its result was dropped for newer ones."""
        return self._jobs.get(name)

    def jobs_ahead(self, job: Job) -> int:
        """How many others are to be finished or at work before this one starts."""
        return list(self._tasks).index(job) if job.state == "waiting" else 0

    def count(self, state: State) -> int:
        """How many jobs are in this state now."""
        return sum(job.state == state for job in self._jobs.values())

    async def cancel(self, job: Job) -> None:
        """End a job that waits or runs, and its process; one that is finished stays as it is."""
        if task := self._tasks.get(job):
            task.cancel()
            await asyncio.wait([task])

    async def drop(self, job: Job) -> None:
        """End a job wherever it is, and forget it and its result."""
        await self.cancel(job)
        self._forget(job)

    async def stop(self) -> None:
        """End all jobs and delete all results."""
        for job in list(self._tasks):
            await self.cancel(job)
        if self._scratch is not None:
            await asyncio.to_thread(self._scratch.delete)
            self._scratch = None
        self._jobs.clear()

    async def _see_through(self, job: Job) -> None:
        try:
            async with self._free, asyncio.timeout(self.time_limit):
                job.state = "running"
                job.folder.mkdir(mode=0o700)
                await self._run(job)
        except TimeoutError:
            job.error = f"it was not done within {self.time_limit:g} s"
        except OSError as error:
            job.error = f"this machine cannot run it now: {error.strerror or error}"

    def _finish(self, job: Job) -> None:
        task = self._tasks.pop(job)
        if task.cancelled():
            job.state = "cancelled"
        else:
            task.result()  # raises what should never happen
            job.state = "failed" if job.error is not None else "done"
        if job.state != "done":
            job.result = None
            self._delete(job)
        job.finished.set()
        self._tidy()
        asyncio.get_running_loop().call_later(self.result_lifetime, self._forget, job)

    async def _run(self, job: Job) -> None:
        process = await asyncio.create_subprocess_exec(
            *JOB_COMMAND,
            str(job.folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_ONE_THREAD | os.environ,
            start_new_session=True,  # so that the programs it starts end with it
            limit=_LINE,
        )
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise OSError("no pipes")
        complaints = asyncio.create_task(_last_line(process.stderr))
        try:
            process.stdin.write(await asyncio.to_thread(pickle.dumps, job.task))
            process.stdin.close()
            async for line in process.stdout:
                _take(job, line)
            await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
            said = await complaints
        if job.result is None and job.error is None:
            _log.error("a job ended with status %s: %s", process.returncode, said)
            job.error = "it broke off; the log of the radio says why"

    def _tidy(self) -> None:
        """Forget the oldest finished jobs beyond what is kept."""
        finished = [job for job in self._jobs.values() if job not in self._tasks]
        size = sum(job.size for job in finished)
        while len(finished) > MAX_RESULTS or (size > self.max_result_bytes and len(finished) > 1):
            oldest = finished.pop(0)
            size -= oldest.size
            self._forget(oldest)

    def _forget(self, job: Job) -> None:
        if self._jobs.pop(job.id, None) is not None:
            self._delete(job)

    def _delete(self, job: Job) -> None:
        asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, job.folder, True)


def _take(job: Job, line: bytes) -> None:
    said = json.loads(line)
    if "share" in said:
        job.progress = said["share"]
    elif "result" in said:
        job.result, job.progress = job.folder / said["result"], 1.0
    else:
        job.error = said["fault"]


async def _last_line(stream: asyncio.StreamReader) -> str:
    """The last line of a stream that is read to its end, however much comes."""
    last = b""
    while data := await stream.read(_LINE):
        last = (last + data).strip()[-1_000:]
    return last.decode(errors="replace").rpartition("\n")[2]
