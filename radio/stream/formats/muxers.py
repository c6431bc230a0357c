"""Packets become chunks of bytes as each format has them on the line."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from radio.stream.chunk import Chunk
from radio.stream.formats import adts
from radio.stream.formats.codecs import CODECS
from radio.stream.formats.ogg import PRE_SKIP, Pager, header_pages
from radio.types import Format, Frames, Packet

PACKETS_PER_CHUNK = 4
"""Packets in a chunk: 77 to 96 ms."""


class Muxer:
    """Gathers packets into chunks.

    Args:
        pack: Makes the bytes of a chunk.
        headers: What every listener gets first.
        skip: How much later than the first packet's stamp the first sound is that a player plays.
        on_restart: Called when the next chunk is for other listeners than the last one was.
    """

    def __init__(
        self,
        pack: Callable[[Sequence[Packet]], bytes],
        *,
        headers: bytes = b"",
        skip: Frames = 0,
        on_restart: Callable[[], object] = lambda: None,
    ) -> None:
        self.headers = headers
        self.skip = skip
        self.end: Frames | None = None
        """The frame at which the packet that is due starts, once there has been one."""
        self._pack = pack
        self._on_restart = on_restart
        self._waiting: list[Packet] = []

    def restart(self) -> None:
        """Nobody has listened, and the next packets come after a hole: begin as with the first ones."""
        self._waiting.clear()
        self.end = None
        self._on_restart()

    def add(self, packet: Packet) -> list[Chunk]:
        """Take the next packet; return the chunks that are complete. One is also complete when a hole comes after it.

        A packet that is there already is left out: the last words of an encoder that was shut may still be on their way
        when another is asked to go on where it ended.
        """
        chunks = []
        if self.end is not None and packet.frame != self.end:
            if packet.frame < self.end:
                return []
            if self._waiting:
                chunks.append(self._chunk())
        self._waiting.append(packet)
        self.end = packet.frame + packet.frames
        if len(self._waiting) == PACKETS_PER_CHUNK:
            chunks.append(self._chunk())
        return chunks

    def _chunk(self) -> Chunk:
        packets = tuple(self._waiting)
        self._waiting.clear()
        frame = packets[0].frame
        return Chunk(frame, packets[-1].frame + packets[-1].frames - frame, self._pack(packets), packets)


def open_muxer(format_: Format, *, title: str, description: str) -> Muxer:
    """The muxer of a mount, whose name goes where the format has a place for it."""
    if format_ == "opus":
        serial = secrets.randbits(32)
        headers = header_pages(serial=serial, comments=(f"TITLE={title}", f"DESCRIPTION={description}"))
        pager, skip = Pager(serial=serial), PRE_SKIP - CODECS["opus"].lookahead
        return Muxer(pager.next_page, headers=headers, skip=skip, on_restart=pager.restart)
    if format_ == "pcm":
        return Muxer(lambda _: b"")  # never on a line: taps take the packets
    pack = adts.frame if format_ == "aac" else bytes
    return Muxer(lambda packets: b"".join(pack(packet.data) for packet in packets), skip=-CODECS[format_].lookahead)
