"""A listener with the buffer of a player, which measures for how long the player is silent."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from radio.stream.formats.codecs import CODECS, packet_frames
from radio.types import SAMPLE_RATE, Format

_MP3_FRAME: Final = CODECS["mp3"].bit_rate * CODECS["mp3"].frames // SAMPLE_RATE // 8
"""Bytes of an MP3 frame; all are of one size."""
_ADTS_HEAD: Final = 7
"""Bytes of the head of an AAC frame."""
_RETRY: Final = 0.25
"""Seconds between two attempts to connect."""
_HEAD: Final = 14
"""Bytes of an Ogg page up to and including its granule position."""


@dataclass
class Listener:
    """A listener that reads a stream in a thread and reconnects when it ends.

    path: such as `/chill.opus?burst=2`.
    silence: seconds without anything to play since `reset`.
    longest: the longest silence since `reset`, and the time at which it ended.
    now: a function that returns monotonic seconds.
    connections: connections made so far.
    """

    port: int
    path: str
    now: Callable[[], float] = time.monotonic
    silence: float = 0.0
    longest: tuple[float, float] = (0.0, 0.0)
    connections: int = 0
    _plays_until: float = 0.0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _leaving: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Connect and play."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def format(self) -> Format:
        return self.path.partition("?")[0].rpartition(".")[2]  # type: ignore[return-value]  # the bench asks for these

    @property
    def buffered(self) -> float:
        """Seconds of audio received but not yet played."""
        return self._plays_until - self.now()

    def reset(self) -> None:
        """Restart the count of silence."""
        with self._lock:
            self.silence, self.longest = 0.0, (0.0, 0.0)

    def join_again(self) -> None:
        """Disconnect, discard all audio and reconnect. A player that was late has more than its burst in the buffer."""
        with self._lock:
            self._leaving.set()
            self._plays_until = self.silence = 0.0

    def heard_silence(self) -> float:
        """Return the silence so far, including one in progress."""
        with self._lock:
            return self.silence + max(0.0, -self.buffered if self._plays_until else 0.0)

    def receive(self, seconds: float) -> None:
        """Add audio to the player's buffer, and count the silence since it ran empty."""
        now = self.now()
        with self._lock:
            if self._plays_until and now > self._plays_until:
                self.silence += now - self._plays_until
                self.longest = max(self.longest, (now - self._plays_until, now))
            self._plays_until = max(now, self._plays_until) + seconds

    def stop(self) -> None:
        """Disconnect."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    connection.settimeout(0.2)
                    connection.sendall(f"GET {self.path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                    self.connections += 1
                    self._read(connection)
            except OSError:
                pass
            self._stopped.wait(_RETRY)

    def _read(self, connection: socket.socket) -> None:
        tail, granule, begun = b"", -1, b""
        self._leaving.clear()
        while not self._stopped.is_set():
            try:
                data = connection.recv(65_536)
            except TimeoutError:
                data = None
            if self._leaving.is_set() or data == b"":
                return
            if data is None:
                continue
            if not begun:
                tail += data
                _, begun, data = tail.partition(b"\r\n\r\n")  # the head of the response
                if not begun:
                    continue
                tail = b""
            if self.format != "opus":
                frames, tail = _mp3_frames(tail + data) if self.format == "mp3" else _aac_frames(tail + data)
                self.receive(frames * packet_frames(self.format) / SAMPLE_RATE)
                continue
            granules, tail = _granules(tail + data)
            if granules:
                self.receive((granules[-1] - (granules[0] if granule < 0 else granule)) / SAMPLE_RATE)
                granule = granules[-1]


def _mp3_frames(data: bytes) -> tuple[int, bytes]:
    """Return the number of whole MP3 frames, and the bytes after them."""
    count = len(data) // _MP3_FRAME
    return count, data[count * _MP3_FRAME :]


def _aac_frames(data: bytes) -> tuple[int, bytes]:
    """Return the number of whole AAC frames, each with its length in the head (ADTS), and the bytes after them."""
    count = place = 0
    while place + _ADTS_HEAD <= len(data):
        length = (int.from_bytes(data[place + 3 : place + 6]) >> 5) & 0x1FFF
        if place + length > len(data):
            break
        count, place = count + 1, place + length
    return count, data[place:]


def _granules(data: bytes) -> tuple[list[int], bytes]:
    """Return the granule positions of the audio pages whose heads are in `data`, and the bytes after the last head."""
    heads = [match.start() for match in re.finditer(b"OggS", data) if match.start() + _HEAD <= len(data)]
    granules = [int.from_bytes(data[head + 6 : head + _HEAD], "little", signed=True) for head in heads]
    return [granule for granule in granules if granule > 0], data[heads[-1] + _HEAD :] if heads else data
