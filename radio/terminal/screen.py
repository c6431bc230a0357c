"""Full-screen access to a terminal: modes, key presses, and drawing of changed lines."""

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
_READ_SIZE: Final = 1024
_ASCII: Final = str.maketrans("━─╸●○·▸↑↓←→–…", "=-|*o.>^v<>-.")
"""Replacements for terminals without Unicode."""


class Screen:
    """The terminal in which the radio runs.

    Args:
        output: The file descriptor for writing.
        keys: The file descriptor for reading keys, or None if standard input is not a terminal.
    """

    def __init__(self, output: int, keys: int | None) -> None:
        self._output = output
        self._input = keys
        self._keys = Keys()
        self._modes: list[Any] | None = None
        self._active = False
        self._resumed = False
        self._lines: list[Text] = []
        self._size = (0, 0)
        self._console = Console(file=io.StringIO(), force_terminal=True, width=10_000, highlight=False)
        self._encoding = getattr(sys.stdout, "encoding", None) or "ascii"

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines; 80 × 24 if the terminal does not report them."""
        columns, lines = os.get_terminal_size(self._output)
        return columns or 80, lines or 24

    @contextmanager
    def full_screen(self) -> Iterator[None]:
        """Use the whole terminal within the block. Restore it at the end and while Ctrl-Z suspends the radio."""
        handlers = {
            signal.SIGTSTP: signal.signal(signal.SIGTSTP, self._suspend),
            signal.SIGCONT: signal.signal(signal.SIGCONT, self._resume),
        }
        try:
            self._enter()
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            self._leave()

    def read(self, timeout: Seconds) -> list[str]:
        """Return the keys pressed within `timeout`. Raise EOFError if the terminal is closed."""
        files = [self._input] if self._input is not None and self._active else []
        ready, _, _ = select.select(files, [], [], timeout)
        if not ready:
            return self._keys.flush()
        try:
            data = os.read(ready[0], _READ_SIZE)
        except OSError as error:
            raise EOFError(str(error)) from error
        if not data:
            raise EOFError("the terminal is closed")
        return self._keys.feed(data)

    def paint(self, lines: Sequence[Text]) -> None:
        """Show one line of text per screen line, writing only those that have changed."""
        if self._resumed or self._active != self.in_foreground():
            self._active = self._resumed = False  # the shell has changed the modes and the screen
            if self.in_foreground():
                self._enter()
        if not self._active:
            return
        size = self.size
        if size != self._size:
            self._size = size
            self.invalidate()
        changed = ["\x1b[2J"] if not self._lines else []
        for row, line in enumerate(lines):
            if row >= len(self._lines) or line != self._lines[row]:
                changed.append(f"\x1b[{row + 1};1H{self._rendered(line)}\x1b[K")
        self._lines = list(lines)
        if changed:
            self._write("".join(changed))

    def invalidate(self) -> None:
        """Redraw everything at the next `paint`."""
        self._lines = []

    def in_foreground(self) -> bool:
        """Return True if the radio may draw, which it may not as a background job of a shell."""
        try:
            return os.tcgetpgrp(self._output) == os.getpgrp()
        except OSError:
            return False

    def _enter(self) -> None:
        if self._input is not None:
            self._modes = termios.tcgetattr(self._input)
            tty.setcbreak(self._input, termios.TCSANOW)
            modes = termios.tcgetattr(self._input)
            modes[0] &= ~termios.IXON  # Ctrl-S would stop the terminal, and thus the radio
            termios.tcsetattr(self._input, termios.TCSANOW, modes)
        self._write(_ENTER)
        self.invalidate()
        self._active = True

    def _leave(self) -> None:
        if not self._active or not self.in_foreground():
            return
        self._active = False
        with suppress(OSError):  # the terminal may be closed
            self._write(_LEAVE)
        if self._input is not None and self._modes is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._input, termios.TCSANOW, self._modes)

    def _suspend(self, number: int, _frame: object) -> None:
        self._leave()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(signal.Signals(number))
        signal.signal(number, self._suspend)  # continues here after SIGCONT

    def _resume(self, _number: int, _frame: object) -> None:
        self._resumed = True

    def _rendered(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line, end="", no_wrap=True, overflow="ignore", crop=False)
        return captured.get()

    def _write(self, text: str) -> None:
        try:
            data = text.encode(self._encoding)
        except UnicodeEncodeError:
            data = text.translate(_ASCII).encode(self._encoding, errors="replace")
        while data:
            try:
                data = data[os.write(self._output, data) :]
            except BlockingIOError:
                select.select([], [self._output], [])
