from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import StreamError
from radio.stream.formats.encoders import open_encoder
from radio.stream.formats.ogg import (
    FIRST_SEQUENCE,
    PRE_SKIP,
    Pager,
    build_page,
    crc,
    header_pages,
    lacing,
    opus_head,
    opus_tags,
)
from radio.types import SAMPLE_RATE, Packet
from tests.stream.ogg_reader import check_one_stream, read_pages, slow_crc


@given(st.binary(max_size=400))
def test_the_checksum_equals_a_bitwise_computation(data: bytes) -> None:
    assert crc(data) == slow_crc(data)


@pytest.mark.parametrize(
    ("length", "table"),
    [(0, [0]), (1, [1]), (254, [254]), (255, [255, 0]), (256, [255, 1]), (510, [255, 255, 0]), (511, [255, 255, 1])],
)
def test_lacing_values_follow_the_packet_sizes(length: int, table: list[int]) -> None:
    assert list(lacing(length)) == table


@given(
    st.lists(st.sampled_from([0, 1, 254, 255, 256, 509, 510, 511, 1_275]), max_size=20),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**33),
    st.integers(-1, 2**62),
    st.booleans(),
)
def test_a_page_can_be_read_back(lengths: list[int], serial: int, sequence: int, granule: int, begin: bool) -> None:
    packets = [bytes([number % 256]) * length for number, length in enumerate(lengths)]
    data = build_page(packets, serial=serial, sequence=sequence, granule=granule, begin=begin)
    (page,) = read_pages(data)
    assert page.raw == data
    assert page.packets == packets
    assert (page.serial, page.sequence, page.granule) == (serial, sequence % 2**32, granule)
    assert page.flags == 2 * begin


def test_a_page_holds_at_most_255_segments() -> None:
    assert len(next(iter(read_pages(build_page([b"x"] * 255, serial=1, sequence=2, granule=0)))).packets) == 255
    with pytest.raises(StreamError, match="256 segments"):
        build_page([b"x"] * 256, serial=1, sequence=2, granule=0)
    with pytest.raises(StreamError, match="255"):
        build_page([bytes(255 * 255)], serial=1, sequence=2, granule=0)


def test_the_identification_header_follows_rfc_7845() -> None:
    assert PRE_SKIP == 0x0F00
    assert opus_head() == b"OpusHead\x01\x02\x00\x0f\x80\xbb\x00\x00\x00\x00\x00"


def test_the_comment_header_contains_lengths_and_texts() -> None:
    tags = opus_tags("vendör", ["TITLE=a", "ARTIST=ü"])
    assert tags[:8] == b"OpusTags"
    at, texts = 8, []
    for field in range(3):
        (length,) = struct.unpack_from("<I", tags, at)
        texts.append(tags[at + 4 : at + 4 + length].decode())
        at += 4 + length
        if field == 0:
            assert struct.unpack_from("<I", tags, at) == (2,)
            at += 4
    assert texts == ["vendör", "TITLE=a", "ARTIST=ü"]
    assert at == len(tags)


def build_pages(pager: Pager, packets: Sequence[Packet]) -> list[bytes]:
    """Return pages of four packets each, without the remaining packets."""
    return [pager.next_page(packets[at : at + 4]) for at in range(0, len(packets) - 3, 4)]


def encoded(seconds: float, start: int = 0) -> list[Packet]:
    noise = np.random.default_rng(start).normal(0, 0.1, (int(seconds * SAMPLE_RATE), 2)).astype(np.float32)
    return open_encoder("opus", start=start).encode(noise)


@pytest.mark.parametrize("late", [0, 1, 7])
def test_a_late_listener_gets_one_stream_that_begins_late(late: int, tmp_path: Path) -> None:
    packets = encoded(2.0)
    pages = build_pages(Pager(serial=77), packets)
    data = header_pages(serial=77) + b"".join(pages[late:])
    audio = check_one_stream(data)
    assert [page.sequence for page in audio] == [FIRST_SEQUENCE + late + k for k in range(len(audio))]
    assert [page.granule for page in audio] == [3_840 * (late + 1 + k) for k in range(len(audio))]
    path = tmp_path / "late.opus"
    path.write_bytes(data)
    probe = ["ffprobe", "-v", "warning", "-show_packets", "-show_streams", "-of", "json", str(path)]
    run = subprocess.run(probe, capture_output=True, check=True, text=True)
    assert run.stderr == ""
    report = json.loads(run.stdout)
    assert len(report["streams"]) == 1
    times = [packet["pts"] for packet in report["packets"]]
    # ffmpeg's timestamp of a packet is the PCM position of its first sample: granule minus pre-skip.
    assert times == [3_840 * late - PRE_SKIP + 960 * k for k in range(len(times))]
    assert len(times) == 4 * len(audio)


@pytest.mark.parametrize("resumed_at", [48_000, 500_000])
def test_granule_positions_do_not_jump_at_a_gap(resumed_at: int) -> None:
    pager = Pager(serial=5)
    pages = build_pages(pager, encoded(0.5, 9_600)) + build_pages(pager, encoded(0.5, resumed_at))
    audio = check_one_stream(header_pages(serial=5) + b"".join(pages))
    assert audio[0].granule == 9_600 + 3_840
    assert audio[-1].granule == 9_600 + 3_840 * len(pages)


def test_sequence_numbers_wrap_at_32_bits() -> None:
    (page,) = read_pages(build_page([b"x"], serial=1, sequence=2**32 + 1, granule=0))
    assert page.sequence == 1
