"""A terminal taken over and given back: modes, key presses, and only the lines that changed."""

from __future__ import annotations

import io
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from radio.terminal.keys import Keys
from radio.types import Seconds

_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
"""Alternate screen, no cursor, no wrapping, clear (xterm, "Control Sequences": DECSET)."""
_LEAVE: Final = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_READ: Final = 1024
_ASCII: Final = str.maketrans("━─╸●○·▸↑↓←→–…", "=-|*o.>^v<>-.")
"""For terminals that show no more."""


class Screen:
    """The terminal that the radio was started in.

    Args:
        output: Its file descriptor for writing.
        keys: The one for reading, or None where standard input is something else: then nothing can be pressed.
    """

    def __init__(self, output: int, keys: int | None) -> None:
        self._output = output
        self._input = keys
        self._keys = Keys()
        self._modes: list[Any] | None = None
        self._taken = False
        self._stale = False
        self._shown: list[Text] = []
        self._size = (0, 0)
        self._console = Console(file=io.StringIO(), force_terminal=True, width=10_000, highlight=False)
        self._encoding = getattr(sys.stdout, "encoding", None) or "ascii"

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines; 80 × 24 where the terminal does not say."""
        columns, lines = os.get_terminal_size(self._output)
        return columns or 80, lines or 24

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take the terminal over; it is given back whatever happens, and while Ctrl-Z stops the radio."""
        before = {
            signal.SIGTSTP: signal.signal(signal.SIGTSTP, self._suspend),
            signal.SIGCONT: signal.signal(signal.SIGCONT, self._resume),
        }
        try:
            self._enter()
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._leave()

    def read(self, timeout: Seconds) -> list[str]:
        """The keys that are pressed within `timeout`. Raises EOFError when the terminal is gone."""
        source = [self._input] if self._input is not None and self._taken else []
        ready, _, _ = select.select(source, [], [], timeout)
        if not ready:
            return self._keys.pause()
        try:
            data = os.read(ready[0], _READ)
        except OSError as error:
            raise EOFError(str(error)) from error
        if not data:
            raise EOFError("the terminal was closed")
        return self._keys.feed(data)

    def paint(self, lines: Sequence[Text]) -> None:
        """Show these lines, one for each of the screen; writes what differs from what is there."""
        if self._stale or self._taken != self.in_foreground():
            self._taken = self._stale = False  # the shell has set its own modes and drawn over ours
            if self.in_foreground():
                self._enter()
        if not self._taken:
            return
        size = self.size
        if size != self._size:
            self._size = size
            self.forget()
        changed = ["\x1b[2J"] if not self._shown else []
        for row, line in enumerate(lines):
            if row >= len(self._shown) or line != self._shown[row]:
                changed.append(f"\x1b[{row + 1};1H{self._rendered(line)}\x1b[K")
        self._shown = list(lines)
        if changed:
            self._write("".join(changed))

    def forget(self) -> None:
        """Paint everything the next time."""
        self._shown = []

    def in_foreground(self) -> bool:
        """Whether the terminal is ours to draw on: not while the radio runs as a shell's background job."""
        try:
            return os.tcgetpgrp(self._output) == os.getpgrp()
        except OSError:
            return False

    def _enter(self) -> None:
        if self._input is not None:
            self._modes = termios.tcgetattr(self._input)
            tty.setcbreak(self._input, termios.TCSANOW)
            modes = termios.tcgetattr(self._input)
            modes[0] &= ~termios.IXON  # Ctrl-S would stop the terminal, and us with it
            termios.tcsetattr(self._input, termios.TCSANOW, modes)
        self._write(_ENTER)
        self.forget()
        self._taken = True

    def _leave(self) -> None:
        if not self._taken or not self.in_foreground():
            return
        self._taken = False
        with suppress(OSError):  # a terminal that is gone needs nothing back
            self._write(_LEAVE)
        if self._input is not None and self._modes is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._input, termios.TCSANOW, self._modes)

    def _suspend(self, number: int, _frame: object) -> None:
        self._leave()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(signal.Signals(number))
        signal.signal(number, self._suspend)  # here we go on

    def _resume(self, _number: int, _frame: object) -> None:
        self._stale = True

    def _rendered(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line, end="", no_wrap=True, overflow="ignore", crop=False)
        return captured.get()

    def _write(self, words: str) -> None:
        try:
            data = words.encode(self._encoding)
        except UnicodeEncodeError:
            data = words.translate(_ASCII).encode(self._encoding, errors="replace")
        while data:
            try:
                data = data[os.write(self._output, data) :]
            except BlockingIOError:
                select.select([], [self._output], [])
