"""Chunks, the units in which a mount sends its stream."""

from __future__ import annotations

from dataclasses import dataclass

from radio.types import Frames, Packet


@dataclass(frozen=True, slots=True)
class Chunk:
    """A few packets and their bytes in the stream's format; `frame` is the start of the first packet."""

    frame: Frames
    frames: Frames
    data: bytes
    packets: tuple[Packet, ...]

    @property
    def end(self) -> Frames:
        """The frame after the last one."""
        return self.frame + self.frames
