"""Forks behave like programs that `subprocess` starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def test_a_program_leads_its_session_before_its_process_id_is_known() -> None:
    """Otherwise a program that is cancelled immediately survives the signal to its group."""
    for _ in range(40):
        command = [sys.executable, "-P", "-m", "radio.worker.job_process", "."]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as job:
            os.killpg(job.pid, signal.SIGKILL)
            assert job.wait(60) == -signal.SIGKILL
