from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from radio.errors import ServerError
from radio.worker import job_queue
from radio.worker.job_process import MAX_MEMORY, NICENESS, OUT_OF_MEMORY_SCORE
from radio.worker.job_queue import Job, JobQueue
from tests.server.on_air import DEADLINE, until
from tests.worker.tasks import Fail, LeaveChild, ReadLimits, Sleep, Write


@pytest.fixture(autouse=True)
def importable_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run jobs without -P, so that they can import the test tasks from the working directory."""
    monkeypatch.setattr(job_queue, "JOB_COMMAND", (sys.executable, "-m", "radio.worker.job_process"))


@pytest.fixture
async def queue() -> AsyncIterator[JobQueue]:
    jobs = JobQueue(max_waiting=2)
    yield jobs
    await jobs.stop()


async def finished(job: Job) -> Job:
    await asyncio.wait_for(job.finished.wait(), DEADLINE)
    return job


@pytest.mark.usefixtures("started_programs")
async def test_a_finished_job_has_its_result(queue: JobQueue) -> None:
    job = queue.submit(Write("hello"))
    assert (job.state, job.progress) == ("waiting", 0.0)
    await finished(job)
    assert (job.state, job.progress, job.error) == ("done", 1.0, None)
    assert job.result is not None
    assert job.result.read_text() == "hello"
    assert queue.get(job.id) is job
    assert queue.get("another") is None


async def test_a_job_is_the_first_to_be_killed_when_memory_runs_out(queue: JobQueue) -> None:
    job = await finished(queue.submit(ReadLimits()))
    assert job.result is not None
    assert job.result.read_text().split() == [str(OUT_OF_MEMORY_SCORE), str(MAX_MEMORY)]


@pytest.mark.parametrize(
    ("kind", "error", "logged"),
    [
        ("RadioError", "there is no soundfont at nowhere.sf2", ""),
        ("full disk", "there is no space left for files in ", ""),
        ("unexpected error", "the job crashed", "ValueError: the secret is 1234"),
        ("long stderr", "the job crashed", "ValueError"),
        ("signal", "the job crashed", "status -11"),
        ("large file", "the job crashed", "File too large"),
        ("long report", "the job crashed", "ValueError: Separator is"),
    ],
)
async def test_a_failed_job_has_a_reason_and_leaves_no_files(
    queue: JobQueue, kind: str, error: str, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    job = await finished(queue.submit(Fail(kind)))
    assert (job.state, job.result) == ("failed", None)
    assert error in (job.error or "")
    assert "1234" not in (job.error or "")
    assert logged in caplog.text
    await until(lambda: not job.folder.exists())
    assert (await finished(queue.submit(Write("next")))).state == "done"


async def test_one_job_runs_others_wait_and_excess_jobs_are_refused(queue: JobQueue, tmp_path: Path) -> None:
    first = queue.submit(Sleep(tmp_path / "pids"))
    second, third = queue.submit(Write("2")), queue.submit(Write("3"))
    with pytest.raises(ServerError, match="full with 3 jobs"):
        queue.submit(Write("4"))
    await until((tmp_path / "pids").exists)
    await until(lambda: first.progress == 0.5)
    assert [first.state, second.state, third.state] == ["running", "waiting", "waiting"]
    assert [queue.jobs_ahead(job) for job in (first, second, third)] == [0, 1, 2]
    assert (queue.count("running"), queue.count("waiting")) == (1, 2)
    await queue.cancel(second)
    assert (second.state, queue.jobs_ahead(third)) == ("cancelled", 1)
    await queue.cancel(first)
    assert (await finished(third)).state == "done"


async def test_cancelling_ends_the_process_and_its_children(queue: JobQueue, tmp_path: Path) -> None:
    job = queue.submit(Sleep(tmp_path / "pids"))
    await until((tmp_path / "pids").exists)
    *pids, nice = map(int, (tmp_path / "pids").read_text().split())
    assert nice >= NICENESS
    await queue.cancel(job)
    assert (job.state, job.result) == ("cancelled", None)
    await until(lambda: not any(map(alive, pids)))


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_job_can_be_cancelled_before_it_starts(queue: JobQueue) -> None:
    job = queue.submit(Write("never"))
    await queue.cancel(job)
    assert job.state == "cancelled"
    assert job.finished.is_set()
    assert queue.jobs_ahead(queue.submit(Write("next"))) == 0


async def test_a_job_over_the_time_limit_is_ended(tmp_path: Path) -> None:
    jobs = JobQueue(time_limit=1.0)
    try:
        job = await finished(jobs.submit(Sleep(tmp_path / "pids")))
        assert (job.state, job.error) == ("failed", "not finished within 1 s")
    finally:
        await jobs.stop()


async def test_only_the_latest_results_are_kept(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "MAX_RESULTS", 2)
    done = [await finished(queue.submit(Write(str(number)))) for number in range(3)]
    assert [queue.get(job.id) for job in done] == [None, *done[1:]]
    queue.max_result_bytes = 1_000
    large = await finished(queue.submit(Write("large", size=2_000)))
    assert [queue.get(job.id) for job in [*done, large]] == [None, None, None, large]
    await until(lambda: not done[2].folder.exists())


async def test_results_are_removed_after_their_lifetime(queue: JobQueue) -> None:
    queue.result_lifetime = 0.1
    job = await finished(queue.submit(Write("short")))
    assert job.size == 5
    await until(lambda: queue.get(job.id) is None)
    await until(lambda: not job.folder.exists())


async def test_a_job_can_be_removed_in_any_state(queue: JobQueue, tmp_path: Path) -> None:
    done = await finished(queue.submit(Write("done")))
    running, waiting = queue.submit(Sleep(tmp_path / "pids")), queue.submit(Write("waits"))
    await until((tmp_path / "pids").exists)
    for job in (waiting, running, done):
        await queue.remove(job)
        await queue.remove(job)
        assert queue.get(job.id) is None
    await until(lambda: not any(job.folder.exists() for job in (done, running, waiting)))


async def test_stopping_ends_all_jobs_and_leaves_no_files(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, started = JobQueue._run, list[Job]()

    async def recorded(self: JobQueue, job: Job) -> None:
        started.append(job)
        await run(self, job)

    monkeypatch.setattr(JobQueue, "_run", recorded)
    done = await finished(queue.submit(Write("done")))
    running, waiting = queue.submit(Sleep(tmp_path / "pids")), queue.submit(Write("waits"))
    await until((tmp_path / "pids").exists)
    await queue.stop()
    assert (running.state, waiting.state) == ("cancelled", "cancelled")
    assert started == [done, running]
    assert not done.folder.parent.exists()
    await until(lambda: not any(map(alive, map(int, (tmp_path / "pids").read_text().split()[:2]))))


async def test_only_folders_of_dead_processes_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    abandoned, link = tmp_path / "radio-work-abandoned", tmp_path / "radio-work-link"
    (tmp_path / "elsewhere").mkdir()
    link.symlink_to(tmp_path / "elsewhere")
    first, second = JobQueue(), JobQueue()
    try:
        job = await finished(first.submit(Write("kept")))
        (abandoned / "job").mkdir(parents=True)
        await finished(second.submit(Write("new")))
        await until(lambda: not abandoned.exists())
        assert job.result is not None
        assert job.result.read_text() == "kept"
        assert link.is_symlink()
        assert (tmp_path / "elsewhere").is_dir()
    finally:
        await first.stop()
        await second.stop()
    assert not abandoned.exists()
    assert not job.folder.parent.exists()


async def test_jobs_continue_after_the_temporary_folder_is_deleted(queue: JobQueue) -> None:
    first = await finished(queue.submit(Write("first")))
    shutil.rmtree(first.folder.parent)
    second = await finished(queue.submit(Write("second")))
    assert (second.state, second.error) == ("done", None)


@pytest.mark.parametrize("kept", ["folder", "nothing"])
async def test_a_result_that_was_deleted_on_disk_is_gone_and_later_ones_still_expire(
    queue: JobQueue, kept: str
) -> None:
    first = await finished(queue.submit(Write("first")))
    assert first.result is not None
    if kept == "folder":
        first.result.unlink()
    else:
        shutil.rmtree(first.folder.parent)
    assert first.size == 0
    queue.result_lifetime = 0.1
    second = await finished(queue.submit(Write("second")))
    assert second.state == "done"
    assert queue.get(first.id) is None
    await until(lambda: queue.get(second.id) is None, 5)


async def test_the_children_of_a_killed_job_end_with_it(queue: JobQueue, tmp_path: Path) -> None:
    job = queue.submit(Sleep(tmp_path / "pids"))
    await until((tmp_path / "pids").exists)
    pid, child, _ = map(int, (tmp_path / "pids").read_text().split())
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        await job.finished.wait()
    assert (job.state, job.error) == ("failed", "the job crashed; the server's log has the details")
    await until(lambda: not alive(child))


async def test_a_child_in_its_own_session_does_not_delay_the_end_of_its_job(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("radio.worker.job_queue._ERRORS_TIMEOUT", 0.1)
    job = queue.submit(LeaveChild(tmp_path / "pid"))
    try:
        async with asyncio.timeout(30):
            await job.finished.wait()
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert (job.state, job.error) == ("failed", "the job crashed; the server's log has the details")
    assert "ValueError: the secret is 1234" in caplog.text


async def test_a_folder_that_cannot_be_created_is_reported(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(ServerError, match=r"cannot create a folder for the job in .*nowhere: No such file"):
        queue.submit(Write("never"))
