from __future__ import annotations

import numpy as np
import pytest

from radio.stream.formats.muxers import open_muxer
from radio.stream.relay.mount import Mount
from radio.types import Packet
from tests.stream.audience import Clock, Peer
from tests.stream.ogg_reader import check_one_stream

FRAMES = 960


def packets(start: int, end: int, data: bytes) -> list[Packet]:
    return [Packet(frame, FRAMES, data) for frame in range(start, end, FRAMES)]


def test_packets_beyond_the_live_edge_are_replaced_within_one_stream() -> None:
    mount = Mount("opus", open_muxer("opus", title="", description=""))
    for packet in packets(0, 100 * FRAMES, b"old"):
        mount.add(packet)
    mount.advance(42 * FRAMES + 17)
    assert mount.ring.edge == 10
    mount.cut(50 * FRAMES + 100)
    assert mount.end == 50 * FRAMES
    for packet in packets(48 * FRAMES, 100 * FRAMES, b"new"):  # overlapping packets are left out
        mount.add(packet)
    mount.advance(100 * FRAMES)
    data = mount.relay.headers + b"".join(chunk.data for chunk in mount.ring.slice(0, mount.ring.edge))
    pages = check_one_stream(data)
    assert [packet for page in pages for packet in page.packets] == [b"old"] * 50 + [b"new"] * 50


def samples(values: np.ndarray) -> bytes:
    return np.stack([values, -values], axis=1).astype("<i2").tobytes()


def played(mount: Mount, frames: int) -> np.ndarray:
    mount.advance(frames)
    data = b"".join(packet.data for chunk in mount.ring.slice(0, mount.ring.edge) for packet in chunk.packets)
    return np.frombuffer(data, "<i2").reshape(-1, 2).astype(int)


@pytest.mark.parametrize("fades", [True, False])
def test_samples_crossfade_into_the_sound_that_replaces_them(fades: bool) -> None:
    mount = Mount("pcm", open_muxer("pcm", title="", description=""))
    before, after = np.full(FRAMES, 20_000), np.full(FRAMES, -10_000)
    for packet in packets(0, 100 * FRAMES, samples(before)):
        mount.add(packet)
    mount.cut(50 * FRAMES + 100, fades=fades)
    for packet in packets(48 * FRAMES, 100 * FRAMES, samples(after)):
        mount.add(packet)
    sound = played(mount, 100 * FRAMES)
    assert len(sound) == 100 * FRAMES
    assert (sound[: 50 * FRAMES] == (20_000, -20_000)).all()
    assert (sound[51 * FRAMES :] == (-10_000, 10_000)).all()
    assert np.abs(np.diff(sound, axis=0)).max() == (32 if fades else 30_000)


def test_missing_samples_at_the_joint_do_not_fade() -> None:
    mount = Mount("pcm", open_muxer("pcm", title="", description=""))
    for packet in packets(0, 10 * FRAMES, samples(np.full(FRAMES, 20_000))):
        mount.add(packet)
    mount.cut(5 * FRAMES, fades=True)
    mount.cut(5 * FRAMES, fades=True)  # nothing is left to fade
    for packet in packets(5 * FRAMES, 10 * FRAMES, samples(np.zeros(FRAMES))):
        mount.add(packet)
    assert not played(mount, 10 * FRAMES)[5 * FRAMES :].any()


def test_released_packets_are_never_replaced() -> None:
    mount = Mount("mp3", open_muxer("mp3", title="", description=""))
    for packet in packets(0, 8 * FRAMES, b"old"):
        mount.add(packet)
    mount.advance(6 * FRAMES)
    mount.cut(0)
    assert mount.end == 6 * FRAMES


def test_a_mount_is_needed_while_it_has_listeners(clock: Clock) -> None:
    mount = Mount("mp3", open_muxer("mp3", title="", description=""), now=clock)
    listener = mount.relay.join(Peer(clock), burst=0)
    clock.seconds += 1_000
    assert mount.needed
    mount.relay.leave(listener)
    assert not mount.needed
