"""The encoders of one station: one for each format in use."""

from __future__ import annotations

import mmap
from dataclasses import dataclass

from radio.errors import StreamError
from radio.stream.formats.codecs import packet_frames
from radio.stream.formats.encoders import Encoder, open_encoder
from radio.types import SAMPLE_RATE, Block, Format, Frames
from radio.worker.pcm_ring import PcmRing
from radio.worker.wire import Encoded, EncoderFailed

WARM_UP = 4
"""Packets of a new encoder to discard, so that the first one sent continues seamlessly from the audio before it."""

RETRY: Frames = SAMPLE_RATE
"""Amount of audio to render before a failed encoder is opened again. Nothing is lost, because the ring keeps it."""


@dataclass(slots=True)
class _FormatState:
    """The state of one open format."""

    next_packet: Frames
    """The frame at which the next packet to be sent starts."""
    next_read: Frames
    """The next frame to be read from the ring."""
    encoder: Encoder | None = None
    retry_at: Frames = 0
    """After a failure, no encoder is opened until this frame has been rendered."""


class EncoderSet:
    """The encoders of the open formats, with the latest audio of the station. Formats are encoded independently.

    Args:
        start: the frame at which the station begins to render.
        memory: memory for the latest audio; None to allocate it.
    """

    def __init__(self, start: Frames = 0, memory: mmap.mmap | None = None) -> None:
        self._ring = PcmRing(start, memory=memory)
        self._formats: dict[Format, _FormatState] = {}

    @property
    def has_work(self) -> bool:
        """True if there is audio to encode."""
        end = self._ring.end
        return any(state.next_read < end and state.retry_at <= end for state in self._formats.values())

    def add(self, block: Block) -> None:
        """Add the next rendered block."""
        self._ring.add(block)

    def open(self, format_: Format, frame: Frames) -> None:
        """Start encoding a format, from `frame` or else from the oldest available audio."""
        first = max(frame, self._ring.start)
        self._formats[format_] = _FormatState(first, first)

    def close(self, format_: Format) -> None:
        """Stop encoding a format."""
        self._formats.pop(format_, None)

    def rewind(self, frame: Frames) -> None:
        """Drop the audio from `frame` onward. Packets that contain some of it are encoded again once it is replaced."""
        self._ring.rewind(frame)
        for format_, state in self._formats.items():
            state.retry_at = min(state.retry_at, frame + RETRY)
            if state.next_read > frame:
                length = packet_frames(format_)
                state.next_packet -= -(-max(0, state.next_packet - frame) // length) * length
                state.next_read, state.encoder = state.next_packet, None

    def encode(self, frames: Frames) -> list[Encoded | EncoderFailed]:
        """Encode up to `frames` more of each format and return the packets and failures."""
        messages: list[Encoded | EncoderFailed] = []
        for format_, state in self._formats.items():
            if state.retry_at > self._ring.end:
                continue
            try:
                messages += self._encode(format_, state, frames)
            except StreamError as error:
                messages.append(EncoderFailed(format_, str(error)))
                state.encoder, state.retry_at = None, self._ring.end + RETRY
        return messages

    def _encode(self, format_: Format, state: _FormatState, frames: Frames) -> list[Encoded]:
        if state.encoder is None:
            length = packet_frames(format_)
            # If the ring no longer has the next packet, skip whole packets, so that the packets stay on their grid.
            state.next_packet += -(-max(0, self._ring.start - state.next_packet) // length) * length
            warm_up = min(WARM_UP, (state.next_packet - self._ring.start) // length)
            state.next_read = state.next_packet - warm_up * length
            state.encoder = open_encoder(format_, start=state.next_read)
        block = self._ring.read(state.next_read, frames)
        state.next_read += len(block)
        packets = [packet for packet in state.encoder.encode(block) if packet.frame >= state.next_packet]
        if packets:
            state.next_packet = packets[-1].frame + packets[-1].frames
        return [Encoded(format_, packet) for packet in packets]
