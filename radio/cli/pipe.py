"""A station on standard output: `radio play --output -`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from radio.cli.signals import stop_event
from radio.types import SAMPLE_RATE, Frames, Seconds

if TYPE_CHECKING:
    from radio.settings.station import StationSettings

_CHUNK: Final[Frames] = SAMPLE_RATE // 10
"""Frames written at a time: few, so that the first sound comes quickly."""


def pipe(settings: StationSettings, sink: BinaryIO, *, format_: str, seconds: Seconds | None = None) -> None:
    """Write a station to `sink` as fast as it is read, until `seconds` have been written or a signal ends the stream.

    Raises:
        BrokenPipeError: The reader closed the pipe.
        KeyboardInterrupt: A second signal arrived while the reader was not reading.
        RadioError: The station cannot be opened.
    """
    from radio.station.factory import open_station
    from radio.stream.formats.writers import open_writer

    left = None if seconds is None else max(1, round(seconds * SAMPLE_RATE))
    output = _Sink(sink)
    try:
        with (
            closing(open_station(settings)) as station,
            closing(open_writer(format_, cast("BinaryIO", output))) as writer,
            stop_event() as stop,
        ):
            while not stop.is_set() and (left is None or left > 0):
                block = station.render(_CHUNK if left is None else min(_CHUNK, left))
                station.events()  # not used here, but they would accumulate
                writer.write(block)
                if output.error is not None:
                    break
                left = None if left is None else left - len(block)
    except Exception:
        if output.error is None:
            raise
    if output.error is not None:
        raise output.error


class _Sink:
    """A file that remembers its first error, because libav swallows all exceptions, even interrupts."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except BaseException as error:
            self.error = self.error or error
            raise

    def flush(self) -> None:
        try:
            self._file.flush()
        except BaseException as error:
            self.error = self.error or error
            raise
