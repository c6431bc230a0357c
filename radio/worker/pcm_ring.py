"""The latest audio of a station: its recent past, for the first listener of a format, and the reserve."""

from __future__ import annotations

import mmap
import os

import numpy as np

from radio.errors import StreamError
from radio.stream.formats.pcm import to_s16
from radio.types import SAMPLE_RATE, Block, Frames, Seconds

HISTORY: Seconds = 30.0
"""Amount of past audio kept, so that the first listener of a format gets a burst too."""

RESERVE: Seconds = 20.0
"""Amount of audio rendered ahead of the live edge; a control change replaces it."""

RING_LENGTH: Seconds = HISTORY + RESERVE + 1.0


def create_memory() -> int:
    """Return the descriptor of an in-memory file, the size of a ring, that workers can share."""
    descriptor = os.memfd_create("ring", os.MFD_CLOEXEC)
    os.ftruncate(descriptor, 4 * round(RING_LENGTH * SAMPLE_RATE))
    return descriptor


def open_memory(descriptor: int) -> mmap.mmap:
    """Map the memory of a ring."""
    return mmap.mmap(descriptor, os.fstat(descriptor).st_size)


class PcmRing:
    """A ring buffer of 16-bit samples, the input of all encoders; a second takes 192 kB.

    Args:
        start: the first frame of the first block.
        seconds: the length of the ring.
        memory: shared memory for the samples, which lets them outlive the process; see `open_memory`.
    """

    def __init__(self, start: Frames = 0, *, seconds: Seconds = RING_LENGTH, memory: mmap.mmap | None = None) -> None:
        buffer = memory or bytearray(4 * round(seconds * SAMPLE_RATE))
        self._samples = np.frombuffer(buffer, np.int16).reshape(-1, 2)
        self._first = start
        self.end = start
        """The frame after the newest one."""

    @property
    def start(self) -> Frames:
        """The oldest available frame."""
        return max(self._first, self.end - len(self._samples))

    def add(self, block: Block) -> None:
        """Add the next frames, shape (frames, 2). If the block exceeds the ring, only the newest frames are kept."""
        samples = to_s16(block)[-len(self._samples) :]
        self.end += len(block)
        self._samples[self._indices(self.end - len(samples), len(samples))] = samples

    def rewind(self, frame: Frames) -> None:
        """Drop the audio from `frame` onward; other audio will replace it."""
        self._first = self.start  # older frames have been overwritten
        self.end = max(min(frame, self.end), self._first)

    def read(self, frame: Frames, frames: Frames) -> Block:
        """Return up to `frames` of audio starting at `frame`.

        Raises:
            StreamError: the ring no longer holds `frame`.
        """
        if frame < self.start:
            raise StreamError(f"frame {frame} is no longer available; the oldest one is {self.start}")
        indices = self._indices(frame, max(0, min(frames, self.end - frame)))
        return self._samples[indices].astype(np.float32) / np.float32(32_768)

    def _indices(self, frame: Frames, frames: Frames) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.arange(frame, frame + frames) % len(self._samples)
