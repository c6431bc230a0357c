"""Programs of the tests as forks of one process that has already imported their modules.

Hundreds of tests start a worker or a command, whose imports would cost more processor time than everything else. A fork
is a real process: a child of the tests with its own id, exit status and descriptors. Tests of a program's imports or
with a different interpreter setup start it as users do.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import termios
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from fcntl import ioctl
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from unittest import mock

MODULES = frozenset(
    {
        "radio",
        "radio.audio.loop_decoder",
        "radio.push.video.encoder",
        "radio.worker.job_process",
        "radio.worker.main",
        "tests.server.killable_server",
        "tests.server.tone_server",
        "tests.server.tone_worker",
        "tests.terminal.tone_radio",
        "tests.web.two_tone_worker",
    }
)
"""Commands of the form `python -m MODULE …` or `python -P -m MODULE …` are run as forks."""

IMPORTS = ("aiohttp.web", "av", "radio.cli.main", "radio.server.app", "radio.station.rendering", "radio.worker.main")
"""Modules that the programs import."""

LIBRARIES = (
    "aiohttp.test_utils", "aiohttp.web", "av", "jsonschema", "lightning.pytorch", "matplotlib.pyplot", "mido",
    "music21", "onnxruntime", "PIL.Image", "playwright.async_api", "rich.live", "scipy.signal", "scipy.stats",
    "tensorboard", "torch._dynamo", "torchmetrics", "yaml",
)  # fmt: skip
"""Slow imports of the test modules."""

_EXECNET = ["-u", "-c", "import sys;exec(eval(sys.stdin.readline()))"]
"""The command with which execnet starts Python for xdist."""

ROOT = Path(__file__).parents[1]

_TERMINAL = ("setsid", "--ctty")
"""The prefix of a command whose standard input is its controlling terminal."""
_SET_CHILD_SUBREAPER = 36
_MESSAGE = 65_536
_DESCRIPTORS = 16


class Program(NamedTuple):
    """A program to run as a fork.

    Args:
        arguments: the module and its arguments.
        environment: all its variables.
        folder: its working directory.
        session: whether it leads a new session.
        terminal: whether its standard input is its controlling terminal.
        numbers: its descriptors.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    session: bool
    terminal: bool
    numbers: Sequence[int]


class Parent:
    """The process that forks. It starts at the first request.

    Args:
        imports: the modules that it imports.
    """

    def __init__(self, imports: Sequence[str]) -> None:
        self._imports = imports
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._libc = ctypes.CDLL(None, use_errno=True)

    def fork(self, program: Program, descriptors: Sequence[int]) -> int:
        """Run a program with copies of these descriptors. Return the id of its process, which becomes our child."""
        connection = self._connection or self._start()
        request = json.dumps(program).encode()
        assert len(request) < _MESSAGE
        assert len(descriptors) <= _DESCRIPTORS
        # The kernel reparents an orphaned process to its nearest ancestor that is a subreaper.
        self._adopt(1)
        try:
            socket.send_fds(connection, [request], list(descriptors))
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
            command = [sys.executable, "-m", __name__, str(theirs.fileno()), *self._imports]
            options: dict[str, Any] = {"pass_fds": [theirs.fileno()], "stdin": subprocess.DEVNULL, "cwd": ROOT}
            self._process = subprocess.Popen(command, **options)
        return self._connection


@contextlib.contextmanager
def programs_forked() -> Iterator[None]:
    """Make `subprocess`, and thus asyncio, run the programs in `MODULES` as forks."""
    with _forked(IMPORTS, _arguments):
        yield


@contextlib.contextmanager
def xdist_forked() -> Iterator[None]:
    """Make xdist run its processes as forks of one that has imported the libraries of the tests.

    They exclude our modules, so that pytest-cov sees their imports, and plug-ins of pytest.
    """
    with _forked(LIBRARIES, lambda command: (command[2:], False) if command[1:] == _EXECNET else ((), False)):
        yield


@contextlib.contextmanager
def _forked(imports: Sequence[str], arguments_of: Callable[[Any], tuple[Sequence[str], bool]]) -> Iterator[None]:
    parent, executed = Parent(imports), subprocess.Popen._execute_child  # type: ignore[attr-defined]

    def execute_child(self: Any, args: Any, *more: Any) -> None:
        executable, preexec, _, passed, folder, environment, _, _, _, *pipes = more[:15]  # see Popen
        arguments, terminal = arguments_of(args)
        environment = dict(os.environ if environment is None else environment)
        if not arguments or executable or preexec or not _interpreter_is_ours(environment):
            executed(self, args, *more)
            return
        standard = {0: pipes[0], 1: pipes[3], 2: pipes[5]}
        descriptors = {number: number if ours == -1 else ours for number, ours in standard.items()}
        descriptors |= {number: number for number in passed}
        session = terminal or bool(more[-2])
        folder = os.fspath(folder or Path.cwd())
        try:
            program = Program(arguments, environment, folder, session, terminal, list(descriptors))
            self.pid = parent.fork(program, list(descriptors.values()))
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)

    with contextlib.closing(parent), mock.patch.object(subprocess.Popen, "_execute_child", execute_child):
        yield


def _arguments(command: Any) -> tuple[Sequence[str], bool]:
    """Return the module that a command runs and its arguments, empty if not ours, and whether it gets a terminal."""
    if isinstance(command, str | bytes | os.PathLike):
        return (), False
    words = [os.fsdecode(word) for word in command]
    terminal = tuple(words[:2]) == _TERMINAL
    interpreter, *options = words[2:] if terminal else words
    module = options.index("-m") + 1 if "-m" in options[:2] else 0
    if interpreter != sys.executable or not module or options[0] not in {"-P", "-m"} or options[module] not in MODULES:
        return (), False
    return options[module:], terminal


def _interpreter_is_ours(environment: Mapping[str, str]) -> bool:
    """Return whether an environment changes nothing that Python reads at startup."""

    def of_python(variables: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in variables.items() if name.startswith("PYTHON")}

    locales = [environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)]
    return of_python(environment) == of_python(os.environ) and locales[:1] in ([], ["C.UTF-8"])


def serve(connection: socket.socket) -> None:
    """Fork for each request until the other end closes."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(connection, _MESSAGE, _DESCRIPTORS)
        if not request:
            return
        program = Program(*json.loads(request))
        read, write = os.pipe()
        if (between := os.fork()) == 0:  # exits immediately, so that the program becomes a child of the tests
            if os.fork() == 0:
                if program.session:  # as with `Popen`, the group exists once its process id is known
                    os.setsid()
                os.write(write, str(os.getpid()).encode())
                _run(program, descriptors)
            os._exit(0)
        os.close(write)
        os.waitpid(between, 0)
        connection.send(os.read(read, 100))
        for descriptor in (read, *descriptors):
            os.close(descriptor)


def _run(program: Program, descriptors: Sequence[int]) -> NoReturn:
    """Run a module as the main program and exit as Python does."""
    status = 1
    try:
        _take_descriptors(dict(zip(program.numbers, descriptors, strict=True)))
        if program.terminal:
            ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(program.folder)
        os.environ.clear()
        os.environ.update(program.environment)
        module, *_ = sys.argv = list(program.arguments)
        if module == "-c":
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            exec(program.arguments[1], main.__dict__)  # noqa: S102 — as Python does
            sys.exit()
        warnings.filterwarnings(
            "ignore", ".* found in sys.modules"
        )  # the module is already imported and runs again as `__main__`
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            sys.stderr.write(f"{error.code}\n")
    except BaseException as error:  # noqa: BLE001 — as Python does when a program fails
        traceback.print_exc()
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        os._exit(_finish(status))


def _take_descriptors(copied: Mapping[int, int]) -> None:
    """Replace all open descriptors by copies of these, and attach the standard streams to them."""
    high = 1 + max(*copied, *copied.values(), *(int(entry.name) for entry in Path("/proc/self/fd").iterdir()))
    copies = [(number, high + place) for place, number in enumerate(copied)]
    for number, copy in copies:
        os.dup2(copied[number], copy)
    os.closerange(0, high)
    for number, copy in copies:
        os.dup2(copy, number, inheritable=True)
        os.close(copy)
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 — stays open as long as the process runs
    for name, descriptor, errors in (("stdout", 1, "strict"), ("stderr", 2, "backslashreplace")):
        file: Any = io.FileIO(descriptor, "w", closefd=False)
        lines = descriptor == 2 or os.isatty(descriptor)
        buffer = file if unbuffered else io.BufferedWriter(file)
        stream = io.TextIOWrapper(
            buffer, "utf-8", errors, line_buffering=lines and not unbuffered, write_through=unbuffered
        )
        setattr(sys, name, stream)


def _finish(status: int) -> int:
    """Shut down as Python does, except for freeing memory, and return the exit status."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return 120
    return status


if __name__ == "__main__":
    for name in sys.argv[2:]:
        importlib.import_module(name)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # sent to the whole group; this process ends when the tests close the socket
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
