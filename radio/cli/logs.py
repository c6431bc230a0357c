"""The log of `radio serve` and `radio push`: on standard error, as text or JSON, without ever blocking the caller.

A thread writes the lines. If nothing reads them, or the disk is full, the radio keeps playing, and lines are dropped
and counted. A repeated message is limited to one line per second.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Literal

LogFormat = Literal["text", "json"]

LEVELS: Final = ("debug", "info", "warning", "error")

STANDARD_ERROR: Final = 2

LONGEST_QUEUE: Final = 1_000
"""Maximum number of lines that wait for the writer."""

_BURST: Final = 10
"""Lines of one message in a short time before it is limited."""
_CLOSE_LIMIT: Final = 1.0
"""Seconds that the program waits at its end for the last lines."""


class JsonFormatter(logging.Formatter):
    """A line of JSON for each record: time (UTC, ISO 8601), level, logger, message, and a traceback if it has one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class RateLimit(logging.Filter):
    """A filter that limits each message to a burst of lines, then one line per second.

    The next line says how many were left out. Records belong to the same message if logger, level and unformatted text
    are equal.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._messages: dict[tuple[str, int, str], tuple[float, float, int]] = {}
        """For each message: its allowance of lines, the time of this allowance, and lines left out since."""

    def filter(self, record: logging.LogRecord) -> bool:
        now, key = self._now(), (record.name, record.levelno, str(record.msg))
        allowance, since, left_out = self._messages.pop(key, (_BURST, now, 0))
        allowance = min(_BURST, allowance + now - since)
        if allowance < 1:
            self._messages[key] = allowance, now, left_out + 1
            return False
        self._messages[key] = allowance - 1, now, 0
        while len(self._messages) > LONGEST_QUEUE:  # the oldest one first
            del self._messages[next(iter(self._messages))]
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} similar lines left out)", ()
        return True


class ThreadedHandler(logging.Handler):
    """A handler that writes lines to a file descriptor in a thread.

    Args:
        descriptor: The file descriptor. It is not closed.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.dropped = 0
        """Number of lines that were not written, because too many were waiting or the write failed."""
        self._descriptor = descriptor
        self._lines: deque[str] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):  # a line that cannot be formatted must not stop the caller
            line = self.format(record)
            with self._changed:
                if len(self._lines) >= LONGEST_QUEUE:
                    self.dropped += 1
                    return
                self._lines.append(line)
                self._changed.notify()

    def close(self) -> None:
        """Write the waiting lines, but do not wait long for that."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(_CLOSE_LIMIT)
        super().close()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    return
                line = self._lines.popleft()
            self._write(line)

    def _write(self, line: str) -> None:
        data = line.encode(errors="backslashreplace") + b"\n"
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:  # no space, or no reader
            self.dropped += 1


@contextlib.contextmanager
def logging_to(descriptor: int, *, log_format: LogFormat = "text", level: str = "info") -> Iterator[ThreadedHandler]:
    """Write the log to a file descriptor inside the block.

    Args:
        descriptor: The file descriptor, such as `STANDARD_ERROR`.
        log_format: `text` or `json`.
        level: Minimum level of the radio's own messages: `debug`, `info`, `warning` or `error`.
    """
    handler = ThreadedHandler(descriptor)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else text)
    handler.addFilter(RateLimit())
    root, own = logging.getLogger(), logging.getLogger("radio")
    before = own.level
    own.setLevel(level.upper())
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        own.setLevel(before)
        handler.close()


def add_log(parser: argparse.ArgumentParser) -> None:
    """Add `--log-format` and `--log-level`."""
    parser.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="format of the log on standard error [text]"
    )
    parser.add_argument(
        "--log-level", choices=LEVELS, default="info", help="minimum level of the radio's messages in the log [info]"
    )


def log_of(arguments: argparse.Namespace) -> contextlib.AbstractContextManager[ThreadedHandler]:
    """Return a context manager that writes the log according to the command line."""
    return logging_to(STANDARD_ERROR, log_format=arguments.log_format, level=arguments.log_level)
