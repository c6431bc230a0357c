"""The command `radio` on a pseudo-terminal: keys in, bytes out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import threading
from typing import Self

from tests.playback.pulseaudio import wait_for


class PtyRadio:
    """The command `radio`, or another program, with a pseudo-terminal as its controlling terminal.

    Args:
        arguments: The command's arguments.
        environment: Environment variables, without those of the terminal.
        size: Columns and lines.
        program: A command to run instead of `python -m radio`.
    """

    def __init__(
        self,
        *arguments: str,
        environment: dict[str, str],
        size: tuple[int, int] = (80, 24),
        program: tuple[str, ...] = (sys.executable, "-m", "radio"),
    ) -> None:
        self._master, self.slave = pty.openpty()
        self.resize(*size)
        self.modes = termios.tcgetattr(self.slave)
        # setsid --ctty starts a new session, with the terminal on standard input as its controlling terminal.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *program, *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | environment,
        )
        self.output = b""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        if not self._closed.is_set():
            self.hang_up()

    def wait(self) -> int:
        """Wait until the program has ended and its output is read; return its exit status."""
        status = self.process.wait(90)
        wait_for(lambda: not select.select([self._master], [], [], 0.05)[0], "all output is read")
        return status

    def hang_up(self) -> None:
        """Close the terminal, as closing its window does."""
        self._closed.set()
        self._thread.join()
        os.close(self.slave)
        os.close(self._master)

    @property
    def text(self) -> str:
        """The output without control sequences."""
        return re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", self.output.decode(errors="replace"))

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self) -> None:
        while not self._closed.is_set():
            if select.select([self._master], [], [], 0.05)[0]:
                self.output += os.read(self._master, 65_536)
