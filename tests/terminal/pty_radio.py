"""The command `radio` on a terminal of its own: keys in, bytes out."""

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
    """`radio …`, or another program, with a pseudo-terminal as its controlling terminal; a context.

    Args:
        arguments: The radio's.
        environment: The program's, but for the terminal's own variables.
        size: Columns and lines.
        program: Instead of `python -m radio`.
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
        # setsid --ctty makes the terminal on standard input the controlling one of a session of its own.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *program, *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | environment,
        )
        self.output = b""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        if not self._ending.is_set():
            self.hang_up()

    def ended(self) -> int:
        """Its exit status, once it has ended by itself and all that it wrote is here."""
        status = self.process.wait(30)
        wait_for(lambda: not select.select([self._master], [], [], 0.05)[0], "all output is read")
        return status

    def hang_up(self) -> None:
        """Close the terminal, as the end of its window does."""
        self._ending.set()
        self._thread.join()
        os.close(self.slave)
        os.close(self._master)

    @property
    def text(self) -> str:
        """What was written, without the control sequences."""
        return re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", self.output.decode(errors="replace"))

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self) -> None:
        while not self._ending.is_set():
            if select.select([self._master], [], [], 0.05)[0]:
                self.output += os.read(self._master, 65_536)
