"""The last minute of a mount, in chunks that all its listeners share, and what waits beyond the live edge."""

from __future__ import annotations

from bisect import bisect_left

from radio.stream.chunk import Chunk
from radio.types import SAMPLE_RATE, Frames, Seconds

HISTORY: Seconds = 60.0
"""How much of the past the ring keeps."""


class Ring:
    """Chunks by their number, counted from the mount's first one. Those before number `edge` have been let out."""

    def __init__(self, history: Seconds = HISTORY) -> None:
        self._history: Frames = round(history * SAMPLE_RATE)
        self._chunks: dict[int, Chunk] = {}
        self.oldest = 0
        self.edge = 0
        self.after = 0
        """The number that the next chunk will have."""
        self.live: Frames = 0

    def __getitem__(self, number: int) -> Chunk:
        return self._chunks[number]

    def add(self, chunk: Chunk) -> None:
        """Take the next chunk, which starts where the last one ended or later."""
        self._chunks[self.after] = chunk
        self.after += 1

    def advance(self, live: Frames) -> bool:
        """Let out what ends before the live edge, forget what is old; whether anything was let out."""
        before, self.live = self.edge, live
        while self.edge < self.after and self._chunks[self.edge].end <= live:
            self.edge += 1
        while self.oldest < self.edge and self._chunks[self.oldest].end < live - self._history:
            del self._chunks[self.oldest]
            self.oldest += 1
        return self.edge > before

    def at(self, frame: Frames) -> int:
        """The number of the first chunk that starts at `frame` or later; the next one's where there is none."""
        numbers = range(self.oldest, self.after)
        return self.oldest + bisect_left(numbers, frame, key=lambda number: self._chunks[number].frame)

    def slice(self, start: int, stop: int) -> list[Chunk]:
        """The chunks from number `start` to before `stop`, all of which must be there."""
        return [self._chunks[number] for number in range(start, stop)]
