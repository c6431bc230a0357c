"""Encoders from PCM blocks to codec packets, one for each format.

Each packet is stamped with its first frame: packet number k of an encoder that starts at frame `start` covers the
input from `start + k × frames` to `start + (k + 1) × frames`. A decoder returns the audio of each packet `lookahead`
frames later.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, Protocol, cast

import av
import numpy as np

from radio.errors import StreamError
from radio.stream.formats.codecs import CODECS, PCM_FRAMES, Codec
from radio.stream.formats.pcm import check_shape, to_s16
from radio.types import SAMPLE_RATE, Block, Format, Frames, Packet

_TIME_BASE = Fraction(1, SAMPLE_RATE)


class Encoder(Protocol):
    """An encoder for one format."""

    def encode(self, block: Block) -> list[Packet]:
        """Encode the next frames and return the completed packets.

        Args:
            block: shape (frames, 2), float32, full scale ±1.0, any number of frames.

        Raises:
            StreamError: the block has another shape, or the codec failed.
        """


def open_encoder(format_: Format, *, start: Frames = 0) -> Encoder:
    """Return an encoder whose first packet starts at frame `start`.

    Raises:
        StreamError: the codec cannot be opened.
    """
    return PcmEncoder(start) if format_ == "pcm" else CodecEncoder(CODECS[format_], start)


class CodecEncoder:
    """A libav encoder."""

    def __init__(self, codec: Codec, start: Frames) -> None:
        self._codec = codec
        self._start = start
        self._encoded_frames: Frames = 0
        try:
            self._context = cast("av.AudioCodecContext", av.CodecContext.create(codec.encoder, "w"))
            self._context.sample_rate = SAMPLE_RATE
            self._context.layout = "stereo"
            self._context.format = codec.sample_format
            self._context.bit_rate = codec.bit_rate
            self._context.time_base = _TIME_BASE
            self._context.options = dict(codec.options)
            self._context.open()
        except (av.FFmpegError, ValueError) as error:
            raise StreamError(f"cannot open the encoder {codec.encoder}: {error}") from error

    def encode(self, block: Block) -> list[Packet]:
        frame = audio_frame(block, self._encoded_frames, self._codec.sample_format)
        self._encoded_frames += len(block)
        if frame is None:
            return []
        try:
            packets = self._context.encode(frame)
        except av.FFmpegError as error:
            raise StreamError(f"the encoder {self._codec.encoder} failed: {error}") from error
        return [self._stamped(packet) for packet in packets]

    def _stamped(self, packet: av.Packet[av.AudioStream]) -> Packet:
        # ffmpeg counts from the first decoded sample of the input, so the first packet starts at −lookahead.
        if packet.pts is None:
            raise StreamError(f"the encoder {self._codec.encoder} returned a packet without a timestamp")
        frame = self._start + packet.pts + self._codec.lookahead
        return Packet(frame, self._codec.frames, bytes(packet))


class PcmEncoder:
    """An encoder that returns packets of interleaved signed 16-bit little-endian samples."""

    def __init__(self, start: Frames) -> None:
        self._next = start
        self._pending = np.empty((0, 2), dtype="<i2")

    def encode(self, block: Block) -> list[Packet]:
        samples = np.concatenate([self._pending, to_s16(block)])
        packets = []
        for begin in range(0, len(samples) - PCM_FRAMES + 1, PCM_FRAMES):
            packets.append(Packet(self._next, PCM_FRAMES, samples[begin : begin + PCM_FRAMES].tobytes()))
            self._next += PCM_FRAMES
        self._pending = samples[len(packets) * PCM_FRAMES :]
        return packets


def audio_frame(block: Block, position: Frames, sample_format: Literal["flt", "fltp"] = "flt") -> av.AudioFrame | None:
    """Convert a block to a libav frame with the timestamp `position`. Return None for an empty block.

    Raises:
        StreamError: the shape of the block is not (frames, 2).
    """
    check_shape(block)
    if not len(block):
        return None
    samples = block.reshape(1, -1) if sample_format == "flt" else block.T
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples, dtype=np.float32), format=sample_format, layout="stereo"
    )
    frame.sample_rate = SAMPLE_RATE
    frame.time_base = _TIME_BASE
    frame.pts = position
    return frame
