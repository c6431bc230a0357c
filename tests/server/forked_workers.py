"""Workers of the tests as forks of one process that has imported what they import.

Hundreds of tests start a worker, and its imports would cost more processor time than all else that they do. A fork is a
process as real as any other: a child of the tests with an id, an exit status, and descriptors of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

MODULES = ("tests.server.tone_worker", "tests.web.two_tone_worker")
"""Commands of the form `python -m MODULE …` are run as forks."""

ROOT = Path(__file__).parents[2]

_SET_CHILD_SUBREAPER = 36
_MESSAGE = 65_536
_DESCRIPTORS = 16


class Parent:
    """The process that forks. It starts at the first request."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._libc = ctypes.CDLL(None, use_errno=True)

    def fork(self, arguments: Sequence[str], environment: dict[str, str], descriptors: dict[int, int]) -> int:
        """Run `python -m` with these arguments; return the id of the process, which becomes our child.

        Args:
            arguments: the module and its arguments.
            environment: all its variables.
            descriptors: its descriptors, each with the one of ours that it is a copy of.
        """
        connection = self._connection or self._start()
        request = json.dumps([arguments, environment, list(descriptors)]).encode()
        assert len(request) < _MESSAGE
        assert len(descriptors) <= _DESCRIPTORS
        # The kernel gives a process whose parent has ended to the nearest ancestor that asked for such processes.
        self._adopt(1)
        try:
            socket.send_fds(connection, [request], list(descriptors.values()))
            return int(connection.recv(_MESSAGE))
        finally:
            self._adopt(0)

    def close(self) -> None:
        if self._connection is not None and self._process is not None:
            self._connection.close()
            self._process.wait(timeout=60)

    def _adopt(self, on: int) -> None:
        if self._libc.prctl(_SET_CHILD_SUBREAPER, on, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")

    def _start(self) -> socket.socket:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", __name__, str(theirs.fileno())]
            options: dict[str, Any] = {"pass_fds": [theirs.fileno()], "stdin": subprocess.DEVNULL, "cwd": ROOT}
            self._process = subprocess.Popen(command, **options)
        return self._connection


@contextlib.contextmanager
def workers_forked() -> Iterator[None]:
    """Let `subprocess`, and so asyncio, run the workers of the tests as forks."""
    parent, executed = Parent(), subprocess.Popen._execute_child  # type: ignore[attr-defined]

    def execute_child(self: Any, args: Sequence[str], *more: Any) -> None:
        if tuple(args[:2]) != (sys.executable, "-m") or args[2] not in MODULES:
            executed(self, args, *more)
            return
        passed, environment, pipes = more[3], more[5], more[9:15]  # as `Popen.__init__` passes them
        standard = {0: pipes[0], 1: pipes[3], 2: pipes[5]}
        descriptors = {number: number if ours == -1 else ours for number, ours in standard.items()}
        descriptors |= {number: number for number in passed}
        try:
            self.pid = parent.fork(args[2:], dict(os.environ if environment is None else environment), descriptors)
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)

    with contextlib.closing(parent), mock.patch.object(subprocess.Popen, "_execute_child", execute_child):
        yield


def serve(connection: socket.socket) -> None:
    """Fork for each request until the other end closes."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(connection, _MESSAGE, _DESCRIPTORS)
        if not request:
            return
        arguments, environment, numbers = json.loads(request)
        read, write = os.pipe()
        if (between := os.fork()) == 0:  # ends at once, so that the worker becomes a child of the tests
            if (worker := os.fork()) == 0:
                _work(arguments, environment, dict(zip(numbers, descriptors, strict=True)))
            os.write(write, str(worker).encode())
            os._exit(0)
        os.close(write)
        os.waitpid(between, 0)
        connection.send(os.read(read, 100))
        for descriptor in (read, *descriptors):
            os.close(descriptor)


def _work(arguments: Sequence[str], environment: dict[str, str], descriptors: dict[int, int]) -> NoReturn:
    """Run a module as the main program, and exit."""
    status = 1
    try:
        high = 1 + max(*descriptors, *(int(entry.name) for entry in Path("/proc/self/fd").iterdir()))
        copies = [(number, high + place) for place, number in enumerate(descriptors)]
        for number, copy in copies:
            os.dup2(descriptors[number], copy)
        os.closerange(0, high)
        for number, copy in copies:
            os.dup2(copy, number, inheritable=True)
            os.close(copy)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = list(arguments)
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 — as Python does when a program fails
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    import av  # noqa: F401
    import numpy as np  # noqa: F401

    from radio.worker import main  # noqa: F401

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a whole group; the tests close the socket
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        serve(requests)
