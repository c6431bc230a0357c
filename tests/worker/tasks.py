"""Tasks for tests of jobs, in a module that a job's process can import."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from radio.errors import AudioError

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Write:
    """Write a text, padded with `size` spaces, and print to standard output."""

    text: str
    size: int = 0

    def run(self, folder: Path, on_progress: Progress) -> Path:
        print("output of a library")  # noqa: T201 — libraries print
        for step in range(1, 1_001):
            on_progress(step / 1_000)
        path = folder / "text.txt"
        path.write_text(self.text + " " * self.size)
        return path


@dataclass(frozen=True)
class Fail:
    """Leave a partial file and fail in the given way."""

    kind: str

    def run(self, folder: Path, on_progress: Progress) -> Path:
        (folder / "partial").write_text("partial")
        if self.kind == "RadioError":
            raise AudioError("there is no soundfont at nowhere.sf2")
        if self.kind == "long report":
            raise AudioError("x" * 100_000)
        if self.kind == "large file":
            with (folder / "large").open("wb") as file:
                file.truncate(2**31 + 1)
        if self.kind == "full disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.kind == "long stderr":
            sys.stderr.write("x" * 300_000 + "\n")
        if self.kind == "signal":
            os.kill(os.getpid(), signal.SIGSEGV)
        raise ValueError("the secret is 1234")


@dataclass(frozen=True)
class Sleep:
    """Sleep forever with a child process; write the ids of both processes to `pids`."""

    pids: Path

    def run(self, folder: Path, on_progress: Progress) -> Path:
        child = subprocess.Popen(["sleep", "3600"])
        draft = self.pids.with_suffix(".draft")
        draft.write_text(f"{os.getpid()} {child.pid} {os.nice(0)}")
        draft.rename(self.pids)
        on_progress(0.5)
        time.sleep(3_600)
        return folder


@dataclass(frozen=True)
class LeaveChild:
    """Fail, and leave a child process in a session of its own, which keeps standard error open; write its id."""

    pid: Path

    def run(self, folder: Path, on_progress: Progress) -> Path:
        child = subprocess.Popen(["sleep", "3600"], start_new_session=True)
        self.pid.write_text(str(child.pid))
        raise ValueError("the secret is 1234")


@dataclass(frozen=True)
class ReadLimits:
    def run(self, folder: Path, on_progress: Callable[[float], None]) -> Path:
        path = folder / "limits"
        memory, _ = resource.getrlimit(resource.RLIMIT_AS)
        path.write_text(f"{Path('/proc/self/oom_score_adj').read_text().strip()} {memory}")
        return path
