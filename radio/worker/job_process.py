"""The process of one job: `python -m radio.worker.job_process FOLDER` reads a pickled task and runs it in FOLDER.

`radio.worker.job_queue` starts it and holds the other ends of its pipes. The process reports to its original standard
output, as one JSON object per line: {"share": 0.25} while it works, then {"result": "name"}, {"fault": "reason"}, or
{"full": "reason"} if the disk is full.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pickle
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from radio.errors import RadioError, StorageError
from radio.types import ProgressCallback

NICENESS = 15
"""Stations run at 5 and the server at 0, so a job gets only the processor time that they leave."""

MAX_FILE_SIZE = 2**31
"""Largest file that a job may write, in bytes."""

MAX_MEMORY = 2**32
"""Largest address space of a job, in bytes."""

OUT_OF_MEMORY_SCORE = 900
"""Makes the kernel kill a job before anything on the air if memory runs out (proc(5), oom_score_adj)."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Error numbers that mean a full disk."""


class Task(Protocol):
    """The work of a job. Tasks are pickled, so their classes must be importable."""

    def run(self, folder: Path, on_progress: ProgressCallback) -> Path:
        """Write files into `folder` and return the path of the result.

        Args:
            folder: an empty folder.
            on_progress: called with the completed share of the work, 0–1.

        Raises:
            RadioError: the work failed; the message is shown to the user.
        """


def main() -> None:
    """Entry point of `python -m radio.worker.job_process FOLDER`."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_SIZE, MAX_FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    with contextlib.suppress(OSError):  # not every system has it
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE))
    with os.fdopen(os.dup(1), "w") as reports:
        os.dup2(2, 1)  # libraries may print to stdout, where the queue expects only reports
        _run(Path(sys.argv[1]), lambda **fields: print(json.dumps(fields), file=reports, flush=True))


def _run(folder: Path, report: Callable[..., None]) -> None:
    task: Task = pickle.load(sys.stdin.buffer)  # noqa: S301 — written by the parent process
    reported = -1

    def on_progress(share: float) -> None:
        nonlocal reported
        if (percent := int(100 * share)) > reported:
            reported = percent
            report(share=round(share, 2))

    try:
        report(result=task.run(folder, on_progress).relative_to(folder).as_posix())
    except StorageError as error:
        report(full=str(error))
    except RadioError as error:
        report(fault=str(error))
    except OSError as error:
        if error.errno not in FULL:
            raise
        report(full=f"there is no space left for files in {folder.parent}")


if __name__ == "__main__":
    main()
