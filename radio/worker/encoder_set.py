"""The encoders of one station: one for each format that somebody listens to, none where nobody does."""

from __future__ import annotations

from dataclasses import dataclass

from radio.errors import StreamError
from radio.stream.formats.codecs import packet_frames
from radio.stream.formats.encoders import Encoder, open_encoder
from radio.types import SAMPLE_RATE, Block, Format, Frames
from radio.worker.pcm_ring import PcmRing
from radio.worker.wire import Encoded, EncoderFailed

WARM_UP = 4
"""Packets that a new encoder makes for nobody, so that those that count carry on from what came before them."""

RETRY: Frames = SAMPLE_RATE
"""An encoder that broke is opened again when this much more has been rendered; nothing is lost, history has it."""


@dataclass(slots=True)
class _Open:
    """One format: the packet that is due, the frame to be read next, and no encoder until `retry` when it broke."""

    due: Frames
    at: Frames
    encoder: Encoder | None = None
    retry: Frames = 0


class EncoderSet:
    """Keeps the station's last audio, and encodes it from wherever it is asked to.

    Args:
        start: The frame at which the station begins to render.
    """

    def __init__(self, start: Frames = 0) -> None:
        self._history = PcmRing(start)
        self._open: dict[Format, _Open] = {}

    @property
    def has_work(self) -> bool:
        """Whether there is audio to encode."""
        return any(each.at < self._history.end and each.retry <= self._history.end for each in self._open.values())

    def add(self, block: Block) -> None:
        """Take what the station has rendered."""
        self._history.add(block)

    def open(self, format_: Format, frame: Frames) -> None:
        """Encode this format from `frame` on, or from the oldest audio there is."""
        due = max(frame, self._history.start)
        self._open[format_] = _Open(due, due)

    def close(self, format_: Format) -> None:
        """Encode this format no more."""
        self._open.pop(format_, None)

    def encode(self, frames: Frames) -> list[Encoded | EncoderFailed]:
        """Up to `frames` of each format, from where it stands."""
        said: list[Encoded | EncoderFailed] = []
        for format_, each in self._open.items():
            if each.retry > self._history.end:
                continue
            try:
                said += self._encode(format_, each, frames)
            except StreamError as error:
                said.append(EncoderFailed(format_, str(error)))
                each.encoder, each.retry = None, self._history.end + RETRY
        return said

    def _encode(self, format_: Format, each: _Open, frames: Frames) -> list[Encoded]:
        if each.encoder is None:
            length = packet_frames(format_)
            # An encoder that broke long ago may have lost its place: whole packets are skipped, as the clock goes on.
            each.due += -(-max(0, self._history.start - each.due) // length) * length
            each.at = each.due - min(WARM_UP, (each.due - self._history.start) // length) * length
            each.encoder = open_encoder(format_, start=each.at)
        block = self._history.read(each.at, frames)
        each.at += len(block)
        packets = [packet for packet in each.encoder.encode(block) if packet.frame >= each.due]
        if packets:
            each.due = packets[-1].frame + packets[-1].frames
        return [Encoded(format_, packet) for packet in packets]
