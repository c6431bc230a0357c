from __future__ import annotations

import io
import json
import subprocess

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.stream.formats.fmp4 import Mp4Track, init_segment, media_segment
from radio.types import SAMPLE_RATE, Block, Packet
from tests.stream.codecs import AAC, OPUS, TRACKS, encoded
from tests.stream.mp4_reader import read, read_fragment

NOW = 1_800_000_000 * SAMPLE_RATE
"""A time in 2027 to check that current times fit into all fields."""

samples = st.lists(st.tuples(st.integers(1, 5_000), st.binary(min_size=1, max_size=40)), min_size=1, max_size=30)


def noise(seconds: float) -> Block:
    return np.random.default_rng(1).normal(0, 0.1, (int(seconds * SAMPLE_RATE), 2)).astype(np.float32)


def fragments(track: Mp4Track, packets: list[Packet], size: int, *, time: int = NOW) -> bytes:
    parts = [init_segment(track)]
    for at in range(0, len(packets), size):
        part = packets[at : at + size]
        parts.append(media_segment(track, part, number=at, time=time + part[0].frame - track.delay))
    return b"".join(parts)


@pytest.mark.parametrize("track", TRACKS.values(), ids=TRACKS)
def test_the_init_segment_has_all_required_boxes_and_no_samples(track: Mp4Track) -> None:
    file = read(init_segment(track))
    assert [box.kind for box in file.boxes] == ["ftyp", "moov"]
    assert file.boxes[0].content == b"iso6\0\0\0\0iso6mp41cmfc"
    moov = file.boxes[1]
    assert [box.kind for box in moov.boxes] == ["mvhd", "trak", "mvex"]
    assert moov.one("mvhd").ints("IIIIII") == (0, 0, 0, SAMPLE_RATE, 0, 0x10000)
    assert len(moov.one("mvhd").content) == 100
    assert moov.one("mvhd").ints("I", 96) == (2,), "the next track's number"
    assert moov.one("trak/tkhd").ints("IIII") == (3, 0, 0, 1)
    assert len(moov.one("trak/tkhd").content) == 84
    media = moov.one("trak/mdia")
    assert media.one("mdhd").ints("IIIIIHH") == (0, 0, 0, SAMPLE_RATE, 0, 0x55C4, 0)
    assert media.one("hdlr").content[8:12] == b"soun"
    table = media.one("minf/stbl")
    assert [box.kind for box in table.boxes[:5]] == ["stsd", "stts", "stsc", "stsz", "stco"]
    assert table.one("stts").content == table.one("stsc").content == table.one("stco").content == bytes(8)
    assert moov.one("mvex/trex").ints("IIIIII") == (0, 1, 1, track.packet, 0, 0x02000000)


def test_the_opus_boxes_contain_settings_and_a_preroll_of_80_ms() -> None:
    table = read(init_segment(OPUS)).one("moov/trak/mdia/minf/stbl")
    entry = table.one("stsd").content[8:]
    assert entry[4:8] == b"Opus"
    assert entry[36:] == b"\0\0\0\x13dOps" + bytes([0, 2, 0, 0, 0, 0, 0xBB, 0x80, 0, 0, 0])
    assert table.one("sgpd").content == bytes([1, 0, 0, 0]) + b"roll" + bytes([0, 0, 0, 2, 0, 0, 0, 1]) + b"\xff\xfc"
    segment = read(media_segment(OPUS, encoded("opus", noise(0.1)), number=1, time=0))
    assert segment.one("moof/traf/sbgp").content == bytes(4) + b"roll" + bytes([0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 1])


def test_the_aac_boxes_contain_the_settings() -> None:
    entry = read(init_segment(AAC)).one("moov/trak/mdia/minf/stbl/stsd").content[8:]
    assert entry[4:8] == b"mp4a"
    esds = entry[36:]
    assert esds[4:8] == b"esds"
    tags = bytes([3, 25, 0, 0, 0, 4, 17, 0x40, 0x15, 0, 0, 0]) + (160_000).to_bytes(4, "big") * 2
    assert esds[12:] == tags + bytes([5, 2, 0x11, 0x90, 6, 1, 2])


@given(
    samples=samples, number=st.integers(0, 2**33), time=st.integers(0, 2**64 - 1), name=st.sampled_from(["aac", "opus"])
)
def test_a_media_segment_can_be_read_back(samples: list[tuple[int, bytes]], number: int, time: int, name: str) -> None:
    packets = [Packet(0, frames, data) for frames, data in samples]
    fragment = read_fragment(media_segment(TRACKS[name], packets, number=number, time=time), usual=TRACKS[name].packet)
    assert fragment.samples == samples
    assert fragment.time == time
    assert fragment.number == number % 2**32


@pytest.mark.parametrize("name", TRACKS)
def test_durations_are_written_only_if_one_is_unusual(name: str) -> None:
    track = TRACKS[name]
    usual = [Packet(0, track.packet, b"x")] * 9
    odd = [*usual[1:], Packet(0, track.packet + 1, b"x")]
    sizes = [len(media_segment(track, packets, number=1, time=0)) for packets in (usual, odd)]
    assert sizes[1] - sizes[0] == 4 * 9


@pytest.mark.parametrize(("name", "codec", "profile"), [("aac", "aac", "LC"), ("opus", "opus", None)])
def test_ffprobe_reads_all_packets_with_their_timestamps(name: str, codec: str, profile: str | None) -> None:
    packets = encoded(name, noise(1.5))
    command = ["ffprobe", "-v", "warning", "-of", "json", "-show_streams", "-show_packets", "-"]
    done = subprocess.run(
        command, input=fragments(TRACKS[name], packets, 7), capture_output=True, check=True, timeout=180
    )
    assert done.stderr == b""
    report = json.loads(done.stdout)
    (stream,) = report["streams"]
    assert (stream["codec_name"], stream.get("profile")) == (codec, profile)
    assert (stream["sample_rate"], stream["channels"], stream["time_base"]) == ("48000", 2, "1/48000")
    assert [packet["pts"] for packet in report["packets"]] == [NOW + p.frame - TRACKS[name].delay for p in packets]
    assert {packet["flags"][0] for packet in report["packets"]} == {"K"}


@pytest.mark.parametrize("name", TRACKS)
def test_audio_is_decoded_at_its_original_time(name: str) -> None:
    """An impulse at frame n is decoded at n no matter where a player starts, without edit list and pre-skip."""
    audio = np.zeros((48_000, 2), dtype=np.float32)
    audio[30_000] = 0.9
    packets = encoded(name, audio)
    for first in (0, 14):
        data = fragments(TRACKS[name], packets[first:], 10)
        with av.open(io.BytesIO(data)) as container:
            frames = list(container.decode(audio=0))
        loudest = max(frames, key=lambda frame: float(np.abs(frame.to_ndarray()).max()))
        assert loudest.pts is not None
        sound = np.abs(loudest.to_ndarray()[0])
        position = loudest.pts - NOW + int(np.argmax(sound)) // (1 if loudest.format.is_planar else 2)
        assert abs(position - 30_000) <= 2
        assert sum(frame.samples for frame in frames) == TRACKS[name].packet * len(packets[first:])
