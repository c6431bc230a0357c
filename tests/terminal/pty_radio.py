"""The command `radio` on a terminal of its own: keys in, bytes out."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import Self


class PtyRadio:
    """`radio …` with a pseudo-terminal as its controlling terminal; a context."""

    def __init__(
        self, *arguments: str, folder: Path, environment: dict[str, str], size: tuple[int, int] = (80, 24)
    ) -> None:
        self._master, self.slave = pty.openpty()
        self.resize(*size)
        self.modes = termios.tcgetattr(self.slave)
        # setsid --ctty makes the terminal on standard input the controlling one of a session of its own.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, "-m", "radio", *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            cwd=folder,
            env={"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | environment,
        )
        self.output = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.slave)
        self._thread.join(5)
        os.close(self._master)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65_536)
            except OSError:
                return
            if not data:
                return
            self.output += data
