"""Writers of one continuous audio stream to a file or a pipe."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import BinaryIO, Protocol, cast

import av

from radio.errors import StreamError, did_you_mean
from radio.stream.formats.encoders import audio_frame
from radio.stream.formats.pcm import to_s16
from radio.types import SAMPLE_RATE, Block, Frames


class Writer(Protocol):
    """A writer of one audio stream to a binary file or pipe."""

    def write(self, block: Block) -> None:
        """Write a block. Errors of the file propagate, such as BrokenPipeError if the reader has closed the pipe."""

    def close(self) -> None:
        """Write the rest of the encoded audio and the trailer. The file itself stays open."""


class _UnseekableFile:
    """A file without `seek`, so that libavformat does not try to seek on a pipe."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        # A raw pipe may accept only part of the data, and libavformat would lose the rest.
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) or 0 :]
        self._file.flush()
        return len(data)


class PcmWriter:
    """A writer of interleaved signed 16-bit little-endian samples, preceded by an optional header."""

    def __init__(self, file: BinaryIO, *, header: bytes = b"") -> None:
        self._sink = _UnseekableFile(file)
        if header:
            self._sink.write(header)

    def write(self, block: Block) -> None:
        self._sink.write(to_s16(block).tobytes())

    def close(self) -> None:
        """Do nothing: all samples have been written, and a header in a pipe cannot be changed."""


class MuxedWriter:
    """A writer that uses a libav codec and container; it neither seeks nor buffers packets."""

    def __init__(self, file: BinaryIO, target: _Target) -> None:
        self._container = av.open(
            _UnseekableFile(file),
            "w",
            format=target.container,
            options={"flush_packets": "1", **target.container_options},
        )
        self._stream = cast(
            "av.AudioStream", self._container.add_stream(target.codec, rate=SAMPLE_RATE, layout="stereo")
        )
        if target.bit_rate:
            self._stream.bit_rate = target.bit_rate
        self._encoded_frames: Frames = 0

    def write(self, block: Block) -> None:
        frame = audio_frame(block, self._encoded_frames)
        self._encoded_frames += len(block)
        if frame is not None:
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        try:
            if self._encoded_frames:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


@dataclass(frozen=True)
class _Target:
    """A libav codec and container."""

    codec: str
    container: str
    bit_rate: int = 0
    container_options: dict[str, str] = field(default_factory=dict)


def _muxed(target: _Target) -> Callable[[BinaryIO], Writer]:
    return lambda file: MuxedWriter(file, target)


FORMATS: Mapping[str, Callable[[BinaryIO], Writer]] = MappingProxyType(
    {
        "wav": lambda file: PcmWriter(file, header=wav_header()),
        "s16le": PcmWriter,
        "opus": _muxed(_Target("libopus", "ogg", 96_000, {"page_duration": "100000"})),
        # The Xing frame contains the length, which is unknown.
        "mp3": _muxed(_Target("libmp3lame", "mp3", 192_000, {"write_xing": "0"})),
        "flac": _muxed(_Target("flac", "flac")),
    }
)
"""The formats of `open_writer` by name, all 48 kHz stereo."""


def open_writer(name: str, file: BinaryIO) -> Writer:
    """Return a writer to `file`, which need not be seekable, in the format `name`, a key of `FORMATS`.

    Raises:
        StreamError: the format is unknown.
    """
    if name not in FORMATS:
        choices = ", ".join(FORMATS)
        raise StreamError(f"unknown format '{name}'; use one of {choices}.{did_you_mean(name, list(FORMATS))}")
    return FORMATS[name](file)


def wav_header() -> bytes:
    """Return the 44-byte header of a 16-bit stereo WAV file of unknown length.

    Both sizes are 0xFFFFFFFF. ffmpeg writes this value to a pipe and reads it as "until the end".
    """
    channels, width = 2, 2
    form = struct.pack("<HHIIHH", 1, channels, SAMPLE_RATE, SAMPLE_RATE * channels * width, channels * width, 8 * width)
    unknown = struct.pack("<I", 0xFFFFFFFF)
    return b"RIFF" + unknown + b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + unknown
