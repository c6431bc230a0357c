"""Tasks for jobs: what they do is what a job must survive. In a module that a process of its own can import."""

from __future__ import annotations

import os
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
    text: str
    size: int = 0

    def run(self, folder: Path, progress: Progress) -> Path:
        print("a library talks")  # noqa: T201 — as libraries do
        for step in range(1, 1_001):
            progress(step / 1_000)
        path = folder / "text.txt"
        path.write_text(self.text + " " * self.size)
        return path


@dataclass(frozen=True)
class Fail:
    how: str

    def run(self, folder: Path, progress: Progress) -> Path:
        (folder / "half").write_text("half")
        if self.how == "politely":
            raise AudioError("there is no soundfont at nowhere.sf2")
        if self.how == "on disk":
            with (folder / "large").open("wb") as file:
                file.truncate(2**31 + 1)
        if self.how == "noisily":
            sys.stderr.write("x" * 300_000 + "\n")
        if self.how == "by a signal":
            os.kill(os.getpid(), signal.SIGSEGV)
        raise ValueError("the secret is 1234")


@dataclass(frozen=True)
class Sleep:
    """For ever, with a child that would outlive it; both note their process ids."""

    pids: Path

    def run(self, folder: Path, progress: Progress) -> Path:
        child = subprocess.Popen(["sleep", "3600"])
        draft = self.pids.with_suffix(".draft")
        draft.write_text(f"{os.getpid()} {child.pid} {os.nice(0)}")
        draft.rename(self.pids)
        progress(0.5)
        time.sleep(3_600)
        return folder
