"""The ring of a mount: the chunks of the last minutes and those not yet released, shared by all listeners."""

from __future__ import annotations

from bisect import bisect_left

from radio.stream.chunk import Chunk
from radio.types import SAMPLE_RATE, Frames, Seconds

HISTORY: Seconds = 60.0
"""The amount of released audio that a ring keeps."""

LISTENER_HISTORY: Seconds = 90.0
"""The same for the formats of listeners, who may pause. A minute and a half of the largest format takes 4 MB."""


class Ring:
    """Chunks by number, counted from the mount's first chunk. Chunks before number `edge` are released."""

    def __init__(self, history: Seconds = HISTORY) -> None:
        self._history: Frames = round(history * SAMPLE_RATE)
        self._chunks: dict[int, Chunk] = {}
        self.oldest = 0
        self.edge = 0
        self.next_number = 0
        """The number of the next chunk to be added."""
        self.live: Frames = 0

    def __getitem__(self, number: int) -> Chunk:
        return self._chunks[number]

    def add(self, chunk: Chunk) -> None:
        """Add the next chunk, which starts at or after the end of the last one."""
        self._chunks[self.next_number] = chunk
        self.next_number += 1

    def advance(self, live: Frames) -> bool:
        """Release chunks that end by frame `live` and remove old ones. Return True if any chunk was released."""
        previous, self.live = self.edge, live
        while self.edge < self.next_number and self._chunks[self.edge].end <= live:
            self.edge += 1
        while self.oldest < self.edge and self._chunks[self.oldest].end < live - self._history:
            del self._chunks[self.oldest]
            self.oldest += 1
        return self.edge > previous

    def find(self, frame: Frames) -> int:
        """Return the number of the first chunk that starts at `frame` or later, or else the next number."""
        numbers = range(self.oldest, self.next_number)
        return self.oldest + bisect_left(numbers, frame, key=lambda number: self._chunks[number].frame)

    def slice(self, start: int, stop: int) -> list[Chunk]:
        """Return the chunks numbered `start` to `stop` - 1, which must all exist."""
        return [self._chunks[number] for number in range(start, stop)]
