from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import threading
from collections.abc import Iterator

import pytest

from radio.cli.logs import LONGEST_QUEUE, RateLimit, logging_to

log = logging.getLogger("radio.test")


@contextlib.contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def test_lines_are_text_or_json() -> None:
    with pipe() as (reader, writer):
        with logging_to(writer):
            log.info("station '%s': on the air", "chill")
            log.debug("not written")
        assert os.read(reader, 10_000).endswith(b" INFO radio.test: station 'chill': on the air\n")
        with logging_to(writer, log_format="json"):
            log.error("it failed 🌙", exc_info=ValueError("broken\nin two lines"))
        line = json.loads(os.read(reader, 10_000))
    assert line["level"] == "error"
    assert line["message"] == "it failed 🌙"
    assert "ValueError: broken\nin two lines" in line["traceback"]
    assert line["time"].endswith("Z")


def test_a_pipe_that_is_never_read_does_not_block() -> None:
    with pipe() as (_, writer):
        lines = LONGEST_QUEUE + 2_000  # more than the pipe and the queue can hold
        with logging_to(writer) as handler:
            for number in range(lines):
                logging.getLogger(f"radio.test.{number}").info("%s", "x" * 200)
            assert handler.dropped > 0
        stuck = [thread for thread in threading.enumerate() if thread.name == "log"]
        assert stuck  # a daemon thread, so the program can still end
        assert all(thread.daemon for thread in stuck)


def test_logging_survives_a_full_disk() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with logging_to(full) as handler:
            log.warning("lost")
            log.warning("lost too")
        assert handler.dropped == 2
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            os.write(full, b"x")
    finally:
        os.close(full)


def record(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("radio", logging.ERROR, "", 0, message, arguments, None)


def test_a_repeated_message_is_limited_to_a_line_per_second() -> None:
    seconds = 0.0
    limit = RateLimit(lambda: seconds)
    passed = []
    for number in range(3_000):
        seconds = number / 100
        item = record("no descriptor is free: %s", number)
        if limit.filter(item):
            passed.append(item.getMessage())
    assert 30 <= len(passed) <= 41
    assert passed[-1].endswith("similar lines left out)")
    seconds += 3_600
    assert sum(limit.filter(record("no descriptor is free: %s", number)) for number in range(100)) <= 10
    other = record("another message")
    assert limit.filter(other)
    assert other.getMessage() == "another message"


def test_the_number_of_remembered_messages_is_bounded() -> None:
    limit = RateLimit()
    for number in range(3 * LONGEST_QUEUE):
        assert limit.filter(record(f"message {number}"))
    assert len(limit._messages) <= LONGEST_QUEUE + 1
