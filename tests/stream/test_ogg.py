from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import StreamError
from radio.stream.encoders import OpusEncoder
from radio.stream.ogg import (
    FIRST_SEQUENCE,
    PRE_SKIP,
    Page,
    Pager,
    crc,
    header_pages,
    lacing,
    lay_page,
    opus_head,
    opus_tags,
)
from radio.types import SAMPLE_RATE, Packet
from tests.stream.ogg_reader import check_one_stream, read_pages, slow_crc


@given(st.binary(max_size=400))
def test_the_checksum_is_that_of_a_shift_register(data: bytes) -> None:
    assert crc(data) == slow_crc(data)


@pytest.mark.parametrize(
    ("length", "table"),
    [(0, [0]), (1, [1]), (254, [254]), (255, [255, 0]), (256, [255, 1]), (510, [255, 255, 0]), (511, [255, 255, 1])],
)
def test_lacing(length: int, table: list[int]) -> None:
    assert list(lacing(length)) == table


@given(
    st.lists(st.sampled_from([0, 1, 254, 255, 256, 509, 510, 511, 1_275]), max_size=20),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**33),
    st.integers(-1, 2**62),
    st.tuples(st.booleans(), st.booleans()),
)
def test_a_page_read_back_is_what_was_laid(
    lengths: list[int], serial: int, sequence: int, granule: int, ends: tuple[bool, bool]
) -> None:
    begin, end = ends
    packets = [bytes([number % 256]) * length for number, length in enumerate(lengths)]
    data = lay_page(packets, serial=serial, sequence=sequence, granule=granule, begin=begin, end=end)
    (page,) = read_pages(data)
    assert page.raw == data
    assert page.packets == packets
    assert (page.serial, page.sequence, page.granule) == (serial, sequence % 2**32, granule)
    assert page.flags == 2 * begin + 4 * end


def test_a_page_holds_255_segments_and_no_more() -> None:
    assert len(next(iter(read_pages(lay_page([b"x"] * 255, serial=1, sequence=2, granule=0)))).packets) == 255
    with pytest.raises(StreamError, match="256 segments"):
        lay_page([b"x"] * 256, serial=1, sequence=2, granule=0)
    with pytest.raises(StreamError, match="255"):
        lay_page([bytes(255 * 255)], serial=1, sequence=2, granule=0)


def test_the_head_is_the_one_of_rfc_7845() -> None:
    head = opus_head(312)
    assert head == b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00"


def test_tags_hold_lengths_and_texts() -> None:
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


def encoded(seconds: float, start: int = 0) -> list[Packet]:
    noise = np.random.default_rng(start).normal(0, 0.1, (int(seconds * SAMPLE_RATE), 2)).astype(np.float32)
    return OpusEncoder(start=start).encode(noise)


def laid(pager: Pager, packets: list[Packet]) -> list[Page]:
    return [page for packet in packets if (page := pager.add(packet))]


@pytest.mark.parametrize("late", [0, 1, 7])
def test_whoever_joins_gets_one_stream_that_begins_late(late: int, tmp_path: Path) -> None:
    pages = laid(Pager(serial=77), encoded(2.0))
    assert [page.sequence for page in pages] == list(range(FIRST_SEQUENCE, FIRST_SEQUENCE + len(pages)))
    heard = pages[late:]
    data = header_pages(serial=77) + b"".join(page.data for page in heard)
    audio = check_one_stream(data)
    assert [page.granule for page in audio] == [page.end for page in heard]
    path = tmp_path / "late.opus"
    path.write_bytes(data)
    probe = ["ffprobe", "-v", "warning", "-show_packets", "-show_streams", "-of", "json", str(path)]
    run = subprocess.run(probe, capture_output=True, check=True, text=True)
    assert run.stderr == ""
    report = json.loads(run.stdout)
    assert len(report["streams"]) == 1
    times = [packet["pts"] for packet in report["packets"]]
    # ffmpeg's time of a packet is its first sample's PCM position: granule less pre-skip.
    assert times == [heard[0].frame - PRE_SKIP + 960 * k for k in range(len(times))]
    assert len(times) == 4 * len(heard)


def test_a_station_that_starts_again_goes_on_where_the_mount_was() -> None:
    pager = Pager(serial=5)
    before = laid(pager, encoded(0.5))
    held = pager.position - before[-1].end
    assert held > 0, "the case must hold packets back when the station dies"
    pager.rebase(0)
    after = laid(pager, encoded(0.5))
    pages = before + after
    data = header_pages(serial=5) + b"".join(page.data for page in pages)
    audio = check_one_stream(data)
    assert audio[-1].granule == 960 * 4 * len(pages)
    assert pager.offset == before[-1].end + held


def test_rebase_to_any_station_frame() -> None:
    pager = Pager(serial=5, packets=1)
    pager.rebase(123_000)
    first = pager.add(Packet(123_000, 960, b"a"))
    pager.rebase(0)
    second = pager.add(Packet(0, 960, b"b"))
    assert first is not None
    assert second is not None
    assert (first.frame, first.end, second.frame, second.end) == (0, 960, 960, 1_920)


@pytest.mark.parametrize("frame", [0, 1_919, 1_921, 2_880])
def test_a_gap_or_an_overlap_is_refused(frame: int) -> None:
    pager = Pager(serial=5)
    for packet in (Packet(0, 960, b"a"), Packet(960, 960, b"b")):
        pager.add(packet)
    with pytest.raises(StreamError, match="1920 was due"):
        pager.add(Packet(frame, 960, b"c"))


def test_sequence_numbers_wrap_at_32_bits() -> None:
    (page,) = read_pages(lay_page([b"x"], serial=1, sequence=2**32 + 1, granule=0))
    assert page.sequence == 1
