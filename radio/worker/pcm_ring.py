"""The last seconds of a station's audio, so that whoever tunes in first gets a burst like everybody else."""

from __future__ import annotations

import numpy as np

from radio.errors import StreamError
from radio.stream.formats.encoders import to_s16
from radio.types import SAMPLE_RATE, Block, Frames, Seconds

KEPT: Seconds = 30.0


class PcmRing:
    """A ring of 16-bit samples: 5.8 MB for 30 s, and what every encoder reads from.

    Args:
        start: The frame at which the first block begins.
        seconds: How much is kept.
    """

    def __init__(self, start: Frames = 0, *, seconds: Seconds = KEPT) -> None:
        self._samples = np.zeros((round(seconds * SAMPLE_RATE), 2), dtype=np.int16)
        self._began = start
        self.end = start

    @property
    def start(self) -> Frames:
        """The oldest frame that is kept."""
        return max(self._began, self.end - len(self._samples))

    def add(self, block: Block) -> None:
        """Take the next frames, shape (frames, 2), of which the oldest may be forgotten at once."""
        samples = to_s16(block)[-len(self._samples) :]
        self.end += len(block)
        self._samples[self._places(self.end - len(samples), len(samples))] = samples

    def read(self, frame: Frames, frames: Frames) -> Block:
        """The audio from `frame` on, as much as there is of `frames`.

        Raises:
            StreamError: it is not kept any more.
        """
        if frame < self.start:
            raise StreamError(f"frame {frame} is forgotten, the oldest kept is {self.start}")
        places = self._places(frame, max(0, min(frames, self.end - frame)))
        return self._samples[places].astype(np.float32) / np.float32(32_768)

    def _places(self, frame: Frames, frames: Frames) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.arange(frame, frame + frames) % len(self._samples)
