"""A queue of long-running jobs, each in its own process, with limits on number, time and size."""

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
from radio.worker.environment import child_environment
from radio.worker.job_process import FULL, Task
from radio.worker.scratch import ScratchFolder, delete_abandoned

JOB_COMMAND: Final[tuple[str, ...]] = (sys.executable, "-P", "-m", "radio.worker.job_process")

TIME_LIMIT: Final[Seconds] = 20 * 60.0
"""Longest time that a job may run."""

MAX_RESULTS: Final = 32
"""Number of finished jobs whose results are kept; the oldest are removed first."""

MAX_RESULT_BYTES: Final = 2 * 2**30
"""Largest total size of the results."""

RESULT_LIFETIME: Final[Seconds] = 3600.0
"""Time for which a result is kept."""

_PREFIX: Final = "radio-work-"
_MAX_LINE: Final = 65_536
_EXIT_POLL: Final[Seconds] = 0.02
_ERRORS_TIMEOUT: Final[Seconds] = 1.0
"""Time limit for reading standard error after a job's process has ended."""
_CRASHED: Final = "the job crashed; the server's log has the details"
_log = logging.getLogger("radio.jobs")

State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(eq=False, slots=True)
class Job:
    """A unit of work. Its `id` is a secret: it gives access to the result."""

    id: str
    task: Task
    folder: Path
    state: State = "waiting"
    progress: float = 0.0
    """The completed share of the work, 0–1."""
    result: Path | None = None
    error: str | None = None
    disk_is_full: bool = False
    """True if the job failed because the disk was full."""
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def size(self) -> int:
        """Size of the result, a file or a folder of files, in bytes; a deleted file counts as 0."""
        return sum(_size(file) for file in self._files())

    @property
    def lost(self) -> bool:
        """True if a cleaner of temporary files has deleted the result."""
        return self.result is not None and not any(file.exists() for file in self._files())

    def _files(self) -> list[Path]:
        if self.result is None:
            return []
        try:
            return list(self.result.iterdir())
        except OSError:  # it is a file, or it no longer exists
            return [self.result]


class JobQueue:
    """A queue that runs tasks in order and keeps the latest results in a temporary folder.

    Args:
        max_running: largest number of processes that run at the same time.
        max_waiting: largest number of waiting jobs.
        time_limit: longest time that a job may run.
        max_result_bytes: largest total size of the results; the latest result is kept regardless of its size.
        result_lifetime: time for which a result is kept.
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
        self._slots = asyncio.Semaphore(max_running)

    def submit(self, task: Task) -> Job:
        """Queue a task; it starts as soon as a process is available.

        Raises:
            ServerError: the queue is full, or the folder for its files cannot be created.
        """
        if len(self._tasks) >= self.max_running + self.max_waiting:
            raise ServerError(f"the queue is full with {len(self._tasks)} jobs; try again in a minute")
        job_id = secrets.token_urlsafe(12)
        job = Job(job_id, task, self._folder() / job_id)
        self._jobs[job_id] = job
        self._tasks[job] = asyncio.create_task(self._supervise(job))
        # A callback rather than a `finally` in the coroutine: that never runs if it is cancelled before its first step.
        self._tasks[job].add_done_callback(lambda _: self._finish(job))
        return job

    def _folder(self) -> Path:
        """Return the folder that holds the folders of all jobs."""
        if self._scratch is not None and not self._scratch.path.is_dir():  # deleted by a cleaner that ignores locks
            self._scratch.delete()
            self._scratch = None
        if self._scratch is None:
            try:
                self._scratch = ScratchFolder(_PREFIX)
            except OSError as error:
                where = f" in {Path(error.filename).parent}" if error.filename else ""
                raise ServerError(f"cannot create a folder for the job{where}: {error.strerror or error}") from error
            asyncio.get_running_loop().run_in_executor(None, delete_abandoned, _PREFIX)
        return self._scratch.path

    def get(self, job_id: str) -> Job | None:
        """Return the job with this id, or None if it is unknown or its result was removed."""
        job = self._jobs.get(job_id)
        if job is not None and job.lost:
            self._remove(job)
            return None
        return job

    def jobs_ahead(self, job: Job) -> int:
        """Return the number of jobs that run or wait ahead of this one; 0 if it is not waiting."""
        return list(self._tasks).index(job) if job.state == "waiting" else 0

    def count(self, state: State) -> int:
        """Return the number of jobs in this state."""
        return sum(job.state == state for job in self._jobs.values())

    async def cancel(self, job: Job) -> None:
        """Cancel a waiting or running job and kill its process. A finished job is left unchanged."""
        if task := self._tasks.get(job):
            task.cancel()
            await asyncio.wait([task])

    async def remove(self, job: Job) -> None:
        """Cancel a job in any state and delete its result."""
        await self.cancel(job)
        self._remove(job)

    async def stop(self) -> None:
        """Cancel all jobs and delete all results."""
        for job in reversed(list(self._tasks)):  # the waiting ones first, so that none of them starts
            await self.cancel(job)
        if self._scratch is not None:
            await asyncio.to_thread(self._scratch.delete)
            self._scratch = None
        self._jobs.clear()

    async def _supervise(self, job: Job) -> None:
        try:
            async with self._slots, asyncio.timeout(self.time_limit):
                job.state = "running"
                job.folder.mkdir(mode=0o700)
                await self._run(job)
        except TimeoutError:
            job.error = f"not finished within {self.time_limit:g} s"
        except OSError as error:
            job.error = f"cannot start the job in {job.folder.parent}: {error.strerror or error}"
            job.disk_is_full = error.errno in FULL

    def _finish(self, job: Job) -> None:
        task = self._tasks.pop(job)
        if task.cancelled():
            job.state = "cancelled"
        else:
            if (error := task.exception()) is not None:
                _log.error("a job failed unexpectedly", exc_info=error)
                job.error = _CRASHED
            job.state = "failed" if job.error is not None else "done"
        if job.state != "done":
            job.result = None
            self._delete(job)
        job.finished.set()
        self._remove_excess()
        asyncio.get_running_loop().call_later(self.result_lifetime, self._remove, job)

    async def _run(self, job: Job) -> None:
        process = await asyncio.create_subprocess_exec(
            *JOB_COMMAND,
            str(job.folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=child_environment(),
            start_new_session=True,  # so that its child processes can be killed with it
            limit=_MAX_LINE,
        )
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise OSError("the process has no pipes")
        errors = bytearray()
        reading = asyncio.create_task(_read_end(process.stderr, errors))
        try:
            process.stdin.write(await asyncio.to_thread(pickle.dumps, job.task))
            process.stdin.close()
            async for line in process.stdout:
                _apply_report(job, line)
            await _exit(process)
        finally:
            with contextlib.suppress(ProcessLookupError):  # its children may survive
                os.killpg(process.pid, signal.SIGKILL)
            await _exit(process)
            # A child in a session of its own survives, and may keep standard error open for as long as it runs.
            await asyncio.wait([reading], timeout=_ERRORS_TIMEOUT)
            reading.cancel()
        if job.result is None and job.error is None:
            _log.error("a job ended with status %s: %s", process.returncode, _last_line(errors))
            job.error = _CRASHED

    def _remove_excess(self) -> None:
        """Remove the oldest finished jobs that exceed the limits."""
        finished = [job for job in self._jobs.values() if job not in self._tasks]
        size = sum(job.size for job in finished)
        while len(finished) > MAX_RESULTS or (size > self.max_result_bytes and len(finished) > 1):
            oldest = finished.pop(0)
            size -= oldest.size
            self._remove(oldest)

    def _remove(self, job: Job) -> None:
        if self._jobs.pop(job.id, None) is not None:
            self._delete(job)

    def _delete(self, job: Job) -> None:
        asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, job.folder, True)


def _apply_report(job: Job, line: bytes) -> None:
    report = json.loads(line)
    if "share" in report:
        job.progress = report["share"]
    elif "result" in report:
        job.result, job.progress = job.folder / report["result"], 1.0
    elif "full" in report:
        job.error, job.disk_is_full = report["full"], True
    else:
        job.error = report["fault"]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


async def _exit(process: asyncio.subprocess.Process) -> None:
    """Wait until a process has ended. `Process.wait` would also wait for its children if they keep its pipes open."""
    while process.returncode is None:  # noqa: ASYNC110 — asyncio signals nothing before the pipes are closed
        await asyncio.sleep(_EXIT_POLL)


async def _read_end(stream: asyncio.StreamReader, end: bytearray) -> None:
    """Read a stream to its end, regardless of its length, and keep its last bytes in `end`."""
    while data := await stream.read(_MAX_LINE):
        end += data
        del end[:-2_000]


def _last_line(text: bytearray) -> str:
    return text.decode(errors="replace").strip().rpartition("\n")[2][-1_000:]
