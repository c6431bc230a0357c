#!/usr/bin/env python3
"""Run a command while every core is busy.

    scripts/under_load.py [--times N] COMMAND ...

Starts one busy process per core, runs the command N times, and stops at its first failure. Exits with
the command's status.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time


def main() -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(description="Run a command while every core is busy.")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="runs of the command (default: 1)")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if not arguments.command:
        parser.error("missing command")
    cores = len(os.sched_getaffinity(0))
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        for run in range(1, arguments.times + 1):
            start = time.monotonic()
            status = subprocess.run(arguments.command, check=False).returncode
            print(f"run {run} of {arguments.times} with {cores} busy processes:", end=" ")
            print(f"status {status}, {time.monotonic() - start:.0f} s", flush=True)
            if status:
                return status
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
