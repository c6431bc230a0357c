"""Half an hour on the air, faster than real time: a worker, a mount and a listener on a simulated clock."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from radio.stream.formats.icy import IcyInserter
from radio.stream.formats.muxers import open_muxer
from radio.stream.relay.live_edge import LiveEdge
from radio.stream.relay.mount import Mount
from radio.stream.relay.relay import ADVANCE_INTERVAL
from radio.types import SAMPLE_RATE, Block, Format, Frames, StationEvent
from radio.worker import main as worker
from radio.worker.wire import Encoded, OpenFormat, Render, Rendered
from tests.server.tone_worker import ToneStation
from tests.stream.audience import Clock, Peer
from tests.stream.formats.test_icy import split_metadata
from tests.stream.ogg_reader import check_one_stream
from tests.worker.test_main import WorkerConnection, open_station

MINUTES = 30
TRACK: Frames = 90 * SAMPLE_RATE


class TrackStation(ToneStation):
    """A station that starts a track every ninety seconds and has no other events."""

    def render(self, frames: Frames) -> Block:
        start, end = self.position, self.position + frames
        for frame in range(-(-start // TRACK) * TRACK, end, TRACK):
            self._aired.append(StationEvent(frame, "track", {"title": f"Track {frame // TRACK + 1}"}))
        self.position = end
        t = np.arange(start, end) % SAMPLE_RATE / SAMPLE_RATE
        return (0.25 * np.sin(2 * np.pi * np.stack([440 * t, 880 * t], axis=1))).astype(np.float32)


@contextlib.contextmanager
def on_air() -> Iterator[WorkerConnection]:
    """Run a worker in a thread."""
    ours, theirs = socket.socketpair()

    def run() -> None:
        with theirs:
            worker.run(theirs, TrackStation)

    thread = threading.Thread(target=run)
    thread.start()
    with ours:
        yield WorkerConnection(ours)
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["opus", "mp3"])
def test_half_an_hour_with_twenty_titles_is_one_stream_without_a_gap(format_: Format) -> None:
    clock, titles = Clock(), dict[Frames, str]()
    edge, mount = LiveEdge(clock), Mount(format_, open_muxer(format_, title="t", description="d"), now=clock)

    def title_at(frame: Frames) -> str:
        return max((start, title) for start, title in titles.items() if start <= frame)[1]

    peer = Peer(clock)
    with on_air() as connection:
        open_station(connection)
        connection.send(OpenFormat(format_, 0))
        until = 0
        while edge.live < MINUTES * 60 * SAMPLE_RATE:
            if until < edge.live + 3 * SAMPLE_RATE:
                until = edge.live + 4 * SAMPLE_RATE
                connection.send(Render(until, edge.live))
                for message in connection.until(until):
                    match message:
                        case Encoded(_, packet):
                            mount.add(packet)
                        case Rendered(frame):
                            edge.extend(frame)
                        case StationEvent(frame, "track", data):
                            titles[frame] = str(data["title"])
            clock.seconds += ADVANCE_INTERVAL
            mount.advance(edge.advance())
            if not mount.relay.listeners:
                mount.relay.join(peer, burst=22, inserter=IcyInserter(title_at) if format_ == "mp3" else None)
    assert edge.underruns == 0
    frames = MINUTES * 60 * SAMPLE_RATE
    body = bytes(peer.received)
    if format_ == "opus":
        audio = check_one_stream(body, checksums=False)
        assert audio[0].granule == 3_840
        assert audio[-1].granule >= frames - 2 * SAMPLE_RATE
    else:
        audio_bytes, marks = split_metadata(body)
        assert len(audio_bytes) >= (MINUTES * 60 - 2) * 24_000
        assert all(audio_bytes[at] == 0xFF for at in range(0, len(audio_bytes) - 4, 576))
        assert [title for _, title in marks] == [f"Track {n}" for n in range(1, len(marks) + 1)]
        assert len(marks) >= 20
        for number, (at, _) in enumerate(marks[1:], 1):
            assert 0 <= at - number * 90 * 24_000 < 16_000 + 576
    assert len(titles) >= 20
