"""The process of one job: `python -m radio.worker.job_process FOLDER` reads a pickled task, works in FOLDER, and
says how far it is.

Started by `radio.worker.job_queue`, which holds the other ends of the pipes. What is said is a JSON object a line,
on what was
standard output when the process began: {"share": 0.25} while it works, then {"result": "name"} or {"fault": "why"}.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from radio.errors import RadioError

NICENESS = 15
"""Stations run at 5 and the front at 0: a job takes what they leave."""

MAX_FILE_SIZE = 2**31
"""Bytes of the largest file that a job may write."""


class Task(Protocol):
    """What a job is to do; pickled on its way, so that its class stands in a module of ours."""

    def run(self, folder: Path, progress: Callable[[float], None]) -> Path:
        """Write files into `folder`, tell the share that is done (0–1), and return the file that was wanted.

        Raises:
            RadioError: it cannot be done; the message is for whoever asked.
        """


def main() -> None:
    """Entry point of `python -m radio.worker.job_process FOLDER`."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_SIZE, MAX_FILE_SIZE))
    with os.fdopen(os.dup(1), "w") as front:
        os.dup2(2, 1)  # libraries print, and the front reads every line
        _work(Path(sys.argv[1]), lambda **said: print(json.dumps(said), file=front, flush=True))


def _work(folder: Path, say: Callable[..., None]) -> None:
    task: Task = pickle.load(sys.stdin.buffer)  # noqa: S301 — our own parent process wrote it
    told = -1

    def progress(share: float) -> None:
        nonlocal told
        if (percent := int(100 * share)) > told:
            told = percent
            say(share=round(share, 2))

    try:
        say(result=task.run(folder, progress).relative_to(folder).as_posix())
    except RadioError as error:
        say(fault=str(error))


if __name__ == "__main__":
    main()
