"""A chunk: the unit in which a mount sends its stream."""

from __future__ import annotations

from dataclasses import dataclass

from radio.types import Frames, Packet


@dataclass(frozen=True, slots=True)
class Chunk:
    """A few packets, and the bytes that they are on the line; `frame` is where the first one starts."""

    frame: Frames
    frames: Frames
    data: bytes
    packets: tuple[Packet, ...]

    @property
    def end(self) -> Frames:
        return self.frame + self.frames
