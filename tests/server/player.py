"""A player that reads a stream and plays it in real time, in its own thread."""

from __future__ import annotations

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from radio.types import SAMPLE_RATE

SETTLED = 5.0
"""Seconds after which a burst has arrived, even on a busy machine."""

_HEAD = 14
"""Bytes of a page up to and including its granule position."""


@dataclass
class Player:
    """A player.

    Attributes:
        body: The received bytes.
        least: The smallest buffer during playback after the burst, in seconds.
    """

    host: str
    port: int
    path: str = "/tone.opus"
    body: bytearray = field(default_factory=bytearray)
    least: float = float("inf")

    async def listen(self, seconds: float) -> None:
        """Play for `seconds`. Raises EOFError if the stream ends early."""
        # The event loop's pool has few threads; a player that waited for one would not read.
        with ThreadPoolExecutor(1) as thread:
            await asyncio.get_running_loop().run_in_executor(thread, self._listen, seconds)

    def _listen(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        began, first, last = 0.0, -1, -1
        with socket.create_connection((self.host, self.port), timeout=0.1) as connection:
            connection.sendall(f"GET {self.path} HTTP/1.0\r\n\r\n".encode())
            while (now := time.monotonic()) < end:
                if first >= 0 and now - began > SETTLED:
                    self.least = min(self.least, (last - first) / SAMPLE_RATE - (now - began))
                try:
                    data = connection.recv(65_536)
                except TimeoutError:
                    continue
                if not data:
                    raise EOFError("the stream ended")
                self.body += data
                last = max(last, self._granule(self.body.rfind(b"OggS", 0, len(self.body) - _HEAD)))
                if first < 0 < last:
                    page = self.body.find(b"OggS", self.body.find(b"OpusTags"))
                    first, began = self._granule(page), time.monotonic()
        del self.body[: self.body.index(b"\r\n\r\n") + 4]

    def _granule(self, page: int) -> int:
        return int.from_bytes(self.body[page + 6 : page + _HEAD], "little", signed=True) if page >= 0 else -1
