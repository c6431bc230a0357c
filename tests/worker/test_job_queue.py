from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from radio.errors import ServerError
from radio.worker import job_queue as jobs
from radio.worker.job_process import NICENESS
from radio.worker.job_queue import Job, JobQueue
from tests.server.on_air import DEADLINE, until
from tests.worker.tasks import Fail, Sleep, Write


@pytest.fixture(autouse=True)
def finds_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without -P a job's process finds the tasks of the tests in the working directory."""
    monkeypatch.setattr(jobs, "JOB_COMMAND", (sys.executable, "-m", "radio.worker.job_process"))


@pytest.fixture
async def one() -> AsyncIterator[JobQueue]:
    runner = JobQueue(max_waiting=2)
    yield runner
    await runner.stop()


async def finished(job: Job) -> Job:
    await asyncio.wait_for(job.finished.wait(), DEADLINE)
    return job


async def test_a_result_is_what_the_task_wrote(one: JobQueue) -> None:
    job = one.submit(Write("hello"))
    assert (job.state, job.progress) == ("waiting", 0.0)
    await finished(job)
    assert (job.state, job.progress, job.error) == ("done", 1.0, None)
    assert job.result is not None
    assert job.result.read_text() == "hello"
    assert one.get(job.id) is job
    assert one.get("another") is None


@pytest.mark.parametrize(
    ("how", "told", "logged"),
    [
        ("politely", "there is no soundfont at nowhere.sf2", ""),
        ("by a mistake of ours", "it broke off", "ValueError: the secret is 1234"),
        ("noisily", "it broke off", "ValueError"),
        ("by a signal", "it broke off", "status -11"),
        ("on disk", "it broke off", "File too large"),
    ],
)
async def test_a_task_that_fails_says_why_and_leaves_nothing(
    one: JobQueue, how: str, told: str, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    job = await finished(one.submit(Fail(how)))
    assert (job.state, job.result) == ("failed", None)
    assert told in (job.error or "")
    assert "1234" not in (job.error or "")
    assert logged in caplog.text
    await until(lambda: not job.folder.exists())
    assert (await finished(one.submit(Write("next")))).state == "done"


async def test_one_runs_the_others_wait_and_too_many_are_refused(one: JobQueue, tmp_path: Path) -> None:
    first = one.submit(Sleep(tmp_path / "pids"))
    second, third = one.submit(Write("2")), one.submit(Write("3"))
    with pytest.raises(ServerError, match="3 jobs are under way"):
        one.submit(Write("4"))
    await until((tmp_path / "pids").exists)
    await until(lambda: first.progress == 0.5)
    assert [first.state, second.state, third.state] == ["running", "waiting", "waiting"]
    assert [one.jobs_ahead(job) for job in (first, second, third)] == [0, 1, 2]
    assert (one.count("running"), one.count("waiting")) == (1, 2)
    await one.cancel(second)
    assert (second.state, one.jobs_ahead(third)) == ("cancelled", 1)
    await one.cancel(first)
    assert (await finished(third)).state == "done"


async def test_cancelling_ends_the_process_and_all_it_started(one: JobQueue, tmp_path: Path) -> None:
    job = one.submit(Sleep(tmp_path / "pids"))
    await until((tmp_path / "pids").exists)
    *pids, nice = map(int, (tmp_path / "pids").read_text().split())
    assert nice >= NICENESS
    await one.cancel(job)
    assert (job.state, job.result) == ("cancelled", None)
    await until(lambda: not any(map(alive, pids)))


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_one_that_is_cancelled_at_once_is_gone_too(one: JobQueue) -> None:
    job = one.submit(Write("never"))
    await one.cancel(job)
    assert job.state == "cancelled"
    assert job.finished.is_set()
    assert one.jobs_ahead(one.submit(Write("next"))) == 0


async def test_a_job_that_runs_for_too_long_is_ended(tmp_path: Path) -> None:
    runner = JobQueue(time_limit=1.0)
    try:
        job = await finished(runner.submit(Sleep(tmp_path / "pids")))
        assert (job.state, job.error) == ("failed", "it was not done within 1 s")
    finally:
        await runner.stop()


async def test_only_the_latest_results_are_kept(one: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_RESULTS", 2)
    done = [await finished(one.submit(Write(str(number)))) for number in range(3)]
    assert [one.get(job.id) for job in done] == [None, *done[1:]]
    one.max_result_bytes = 1_000
    large = await finished(one.submit(Write("large", size=2_000)))
    assert [one.get(job.id) for job in [*done, large]] == [None, None, None, large]
    await until(lambda: not done[2].folder.exists())


async def test_results_are_kept_for_a_while(one: JobQueue) -> None:
    one.result_lifetime = 0.1
    job = await finished(one.submit(Write("short")))
    assert job.size == 5
    await until(lambda: one.get(job.id) is None)
    await until(lambda: not job.folder.exists())


async def test_what_is_dropped_is_gone_in_whatever_state(one: JobQueue, tmp_path: Path) -> None:
    done = await finished(one.submit(Write("done")))
    running, waiting = one.submit(Sleep(tmp_path / "pids")), one.submit(Write("waits"))
    await until((tmp_path / "pids").exists)
    for job in (waiting, running, done):
        await one.drop(job)
        await one.drop(job)
        assert one.get(job.id) is None
    await until(lambda: not any(job.folder.exists() for job in (done, running, waiting)))


async def test_stopping_ends_what_runs_and_leaves_no_file(one: JobQueue, tmp_path: Path) -> None:
    done = await finished(one.submit(Write("done")))
    running, waiting = one.submit(Sleep(tmp_path / "pids")), one.submit(Write("waits"))
    await until((tmp_path / "pids").exists)
    await one.stop()
    assert (running.state, waiting.state) == ("cancelled", "cancelled")
    assert not done.folder.parent.exists()
    await until(lambda: not any(map(alive, map(int, (tmp_path / "pids").read_text().split()[:2]))))


async def test_what_a_killed_radio_left_is_deleted_and_what_a_living_one_holds_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, link = tmp_path / "radio-work-left", tmp_path / "radio-work-link"
    (tmp_path / "elsewhere").mkdir()
    link.symlink_to(tmp_path / "elsewhere")
    living, runner = JobQueue(), JobQueue()
    try:
        kept = await finished(living.submit(Write("kept")))
        (left / "job").mkdir(parents=True)
        await finished(runner.submit(Write("new")))
        await until(lambda: not left.exists())
        assert kept.result is not None
        assert kept.result.read_text() == "kept"
        assert link.is_symlink()
        assert (tmp_path / "elsewhere").is_dir()
    finally:
        await living.stop()
        await runner.stop()
    assert not left.exists()
    assert not kept.folder.parent.exists()


async def test_jobs_go_on_when_somebody_has_cleaned_up_the_temporary_files(one: JobQueue) -> None:
    first = await finished(one.submit(Write("first")))
    shutil.rmtree(first.folder.parent)
    second = await finished(one.submit(Write("second")))
    assert (second.state, second.error) == ("done", None)


async def test_no_room_for_a_job_is_said(one: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(ServerError, match="no room for a job: No such file"):
        one.submit(Write("never"))
