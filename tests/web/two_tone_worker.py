"""A worker whose tracks alternate between two pitches: `python -m tests.web.two_tone_worker FD`.

It replaces `radio.worker.main`. Tracks are three seconds long, and the pitch, 400 or 1,600 Hz, identifies the track.
"""

from __future__ import annotations

import signal
import socket
import sys

import numpy as np

from radio.types import SAMPLE_RATE, Block, Frames
from radio.worker import main as worker
from tests.server.tone_worker import ToneStation, bar_event, track_event

TRACK: Frames = 3 * SAMPLE_RATE
PITCHES = (400, 1_600)


class TwoToneStation(ToneStation):
    """A station that titles each track with its pitch."""

    def render(self, frames: Frames) -> Block:
        start = self.position
        super().render(frames)
        t = np.arange(start, start + frames)
        pitch = np.where(t // TRACK % 2, PITCHES[1], PITCHES[0])
        return np.repeat(0.25 * np.sin(2 * np.pi * pitch * t / SAMPLE_RATE)[:, None], 2, axis=1).astype(np.float32)

    def _bar(self, frame: Frames) -> None:
        if frame % TRACK == 0:
            number = frame // TRACK
            title = f"{PITCHES[number % 2]} Hz"
            self._aired.append(track_event(frame, title=title, bars=3, number=number))
        self._aired.append(bar_event(frame, number=frame // SAMPLE_RATE))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as front:
        worker.run(front, TwoToneStation)
