"""Muxers, which group the packets of each format into chunks of bytes for listeners."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from radio.stream.chunk import Chunk
from radio.stream.formats import adts
from radio.stream.formats.codecs import CODECS
from radio.stream.formats.ogg import PRE_SKIP, Pager, header_pages
from radio.types import Format, Frames, Packet

PACKETS_PER_CHUNK = 4
"""Packets in a chunk, 80 to 96 ms."""


class Muxer:
    """A muxer that groups packets into chunks.

    Args:
        pack: returns the bytes of a chunk.
        headers: returns the bytes that every listener gets first, given the title and the description of the station.
        skip: frames from the stamp of a listener's first packet to the first frame that its player plays.
        on_restart: called when packets resume after a gap without listeners.
    """

    def __init__(
        self,
        pack: Callable[[Sequence[Packet]], bytes],
        *,
        headers: Callable[[str, str], bytes] = lambda _title, _description: b"",
        skip: Frames = 0,
        on_restart: Callable[[], object] = lambda: None,
    ) -> None:
        self.headers = b""
        """The bytes that every listener gets first."""
        self.skip = skip
        self.end: Frames | None = None
        """The frame at which the next packet should start; None before the first packet."""
        self._pack = pack
        self._headers = headers
        self._on_restart = on_restart
        self._pending: list[Packet] = []

    def describe(self, title: str, description: str) -> None:
        """Set the title and the description in `headers`."""
        self.headers = self._headers(title, description)

    def restart(self) -> None:
        """Start over after a gap in the packets, during which there were no listeners."""
        self._pending.clear()
        self.end = None
        self._on_restart()

    def add(self, packet: Packet) -> list[Chunk]:
        """Add the next packet and return the chunks that it completes. A gap before the packet also ends a chunk.

        A packet that overlaps earlier ones is dropped: the last packets of a closed encoder may still arrive after a
        new encoder was opened at the same frame.
        """
        chunks = []
        if self.end is not None and packet.frame != self.end:
            if packet.frame < self.end:
                return []
            if self._pending:
                chunks.append(self._chunk())
        self._pending.append(packet)
        self.end = packet.frame + packet.frames
        if len(self._pending) == PACKETS_PER_CHUNK:
            chunks.append(self._chunk())
        return chunks

    def _chunk(self) -> Chunk:
        packets = tuple(self._pending)
        self._pending.clear()
        frame = packets[0].frame
        return Chunk(frame, packets[-1].frame + packets[-1].frames - frame, self._pack(packets), packets)


def open_muxer(format_: Format, *, title: str, description: str) -> Muxer:
    """Return the muxer of a mount; Opus headers include the station's title and description."""
    muxer = _opus_muxer() if format_ == "opus" else _plain_muxer(format_)
    muxer.describe(title, description)
    return muxer


def _opus_muxer() -> Muxer:
    serial = secrets.randbits(32)
    pager, skip = Pager(serial=serial), PRE_SKIP - CODECS["opus"].lookahead

    def headers(title: str, description: str) -> bytes:
        return header_pages(serial=serial, comments=(f"TITLE={title}", f"DESCRIPTION={description}"))

    return Muxer(pager.next_page, headers=headers, skip=skip, on_restart=pager.restart)


def _plain_muxer(format_: Format) -> Muxer:
    if format_ == "pcm":
        return Muxer(lambda _: b"")  # PCM is for taps only, which use the packets
    pack = adts.add_header if format_ == "aac" else bytes
    return Muxer(lambda packets: b"".join(pack(packet.data) for packet in packets), skip=-CODECS[format_].lookahead)
