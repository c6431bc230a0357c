from __future__ import annotations

import io
import re
from datetime import datetime
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.stream.formats.codecs import CODECS
from radio.stream.formats.encoders import open_encoder
from radio.stream.formats.hls import (
    KEPT_SEGMENTS,
    LISTED_SEGMENTS,
    Playlist,
    Segment,
    Segmenter,
    multivariant,
    time_of_day,
)
from radio.stream.formats.hls_timeline import SETTLING, TOLERANCE, Timeline
from radio.types import SAMPLE_RATE, Format, Frames, Packet
from tests.stream.codecs import TRACKS, encoded, silence
from tests.stream.m3u8_reader import Player, read_list
from tests.stream.mp4_reader import read_fragment

TARGET = 4 * SAMPLE_RATE
NOW = 1_800_000_000 * SAMPLE_RATE

names = st.sampled_from(["aac", "opus"])
starts = st.integers(0, 10**9)
bases = st.integers(NOW, NOW + 10 * TARGET)


def cut(name: str, packets: list[Packet], base: Frames = NOW) -> list[Segment]:
    segmenter = Segmenter(TRACKS[name], base=base)
    return [segment for packet in packets if (segment := segmenter.feed(packet))]


def payload(name: str, segments: list[Segment]) -> list[tuple[int, bytes]]:
    return [sample for segment in segments for sample in read_fragment(segment.data, usual=TRACKS[name].packet).samples]


@given(name=names, start=starts, base=bases)
def test_segments_begin_at_the_packets_nearest_to_multiples_of_4_s(name: str, start: int, base: int) -> None:
    packet = TRACKS[name].packet
    packets = silence(name, 45 * SAMPLE_RATE // packet, start=start)
    segments = cut(name, packets, base)
    assert len(segments) in {9, 10, 11}
    for segment in segments:
        assert abs(segment.time - segment.number * TARGET) <= packet / 2
        fragment = read_fragment(segment.data, usual=packet)
        assert (fragment.number, fragment.time) == (segment.number, segment.time)
        assert segment.frames == sum(frames for frames, _ in fragment.samples)
    for previous, following in pairwise(segments):
        assert following.time == previous.time + previous.frames
        assert following.number == previous.number + 1
    assert [segment.discontinuity for segment in segments] == [True] + [False] * (len(segments) - 1)
    at = (segments[0].time - base + TRACKS[name].delay - start) // packet
    sent = [(packet.frames, packet.data) for packet in packets[at:]]
    assert payload(name, segments) == sent[: len(payload(name, segments))]


@given(name=names, start=starts, base=bases, first=st.integers(0, 20))
def test_ten_segments_last_forty_seconds_to_within_a_packet(name: str, start: int, base: int, first: int) -> None:
    segments = cut(name, silence(name, 130 * SAMPLE_RATE // TRACKS[name].packet, start=start), base)
    ten = segments[first : first + 10]
    assert abs(sum(segment.frames for segment in ten) - 10 * TARGET) <= TRACKS[name].packet


@pytest.mark.parametrize("name", TRACKS)
def test_segments_do_not_drift_in_two_hours(name: str) -> None:
    segments = cut(name, silence(name, 7_200 * SAMPLE_RATE // TRACKS[name].packet))
    assert len(segments) in {1_799, 1_800}
    assert abs(segments[-1].time - segments[-1].number * TARGET) <= TRACKS[name].packet / 2


@given(name=names, start=starts, base=bases, gap=st.integers(1, SAMPLE_RATE // 10), at=st.integers(300, 900))
def test_a_short_gap_is_bridged_without_moving_later_segments(
    name: str, start: int, base: int, gap: int, at: int
) -> None:
    packets = silence(name, 1_200, start=start)
    late = [Packet(packet.frame + gap, packet.frames, packet.data) for packet in packets[at:]]
    segments = cut(name, packets[:at] + late, base)
    assert [segment.discontinuity for segment in segments[1:]] == [False] * (len(segments) - 1)
    for previous, following in pairwise(segments):
        assert following.time == previous.time + previous.frames
        assert following.number == previous.number + 1
    # Only a cut within the gap is late by more than half a packet.
    assert all(abs(item.time - item.number * TARGET) <= TRACKS[name].packet / 2 + gap for item in segments)
    data = [data for _, data in payload(name, segments)]
    skipped = int.from_bytes(data[0], "big")
    assert data == [packet.data for packet in packets[skipped : skipped + len(data)]]


@given(
    name=names, start=starts, base=bases, gap=st.integers(SAMPLE_RATE // 10 + 1, 10 * TARGET), at=st.integers(400, 700)
)
def test_after_a_long_gap_a_new_segment_begins_on_the_grid(name: str, start: int, base: int, gap: int, at: int) -> None:
    packets = silence(name, 1_300, start=start)
    late = [Packet(packet.frame + gap, packet.frames, packet.data) for packet in packets[at:]]
    segments = cut(name, packets[:at] + late, base)
    breaks = [place for place, segment in enumerate(segments) if segment.discontinuity]
    assert len(breaks) == 2
    assert breaks[0] == 0
    resumed = segments[breaks[1]]
    assert abs(resumed.time - round(resumed.time / TARGET) * TARGET) <= TRACKS[name].packet / 2
    assert resumed.time >= base + packets[at].frame + gap - TRACKS[name].delay
    assert resumed.time - TARGET < base + packets[at].frame + gap + TRACKS[name].packet
    assert [b.number - a.number for a, b in pairwise(segments)] == [1] * (len(segments) - 1)
    assert all(segment.frames <= TARGET + TRACKS[name].packet for segment in segments)


@given(name=names, start=starts, base=bases, back=st.integers(1, 1_000), phase=st.integers(0, 959))
def test_repeated_audio_is_left_out(name: str, start: int, base: int, back: int, phase: int) -> None:
    """A restarted tap repeats its history, possibly from an encoder whose packets start at other frames."""
    length = TRACKS[name].packet
    packets = silence(name, 1_000, start=start)
    repeated = silence(name, 1_000, start=start + (1_000 - back) * length + phase)
    segments = cut(name, packets + repeated, base)
    assert not any(segment.discontinuity for segment in segments[1:])
    for previous, following in pairwise(segments):
        assert following.time == previous.time + previous.frames
    assert all(abs(item.time - item.number * TARGET) <= 1.5 * length for item in segments)


@given(first=names, second=names, base=bases, down=st.integers(1, 10**9))
def test_numbers_and_discontinuities_increase_across_restarts(first: str, second: str, base: int, down: int) -> None:
    runs = []
    for name, began in ((first, base), (second, base + 1_400 * TRACKS[first].packet + down)):
        segments = cut(name, silence(name, 1_400), began)
        timeline = Timeline(live=0, at=began / SAMPLE_RATE)
        assert abs(timeline.base(0) - began) <= 1
        playlist = Playlist(TRACKS[name], token=name, discontinuities=timeline.discontinuities)
        for segment in segments:
            playlist.add(segment)
        runs.append((segments, playlist, read_list(playlist.text)))
    (old, _, old_list), (new, _, new_list) = runs
    assert new[0].number > old[-1].number
    assert new_list.entries[0].tagged
    assert new_list.entries[0].discontinuity >= old_list.entries[-1].discontinuity + down // (3_600 * SAMPLE_RATE)


@settings(max_examples=settings.default.max_examples // 2)
@given(name=names, base=bases, breaks=st.lists(st.integers(1, 90), max_size=6, unique=True))
def test_reloaded_playlists_agree_with_earlier_ones(name: str, base: int, breaks: list[int]) -> None:
    packets, start = [], 0
    for place in range(91):
        packets += silence(name, 4 * SAMPLE_RATE // TRACKS[name].packet, start=start)
        start = packets[-1].frame + packets[-1].frames + (place in breaks) * SAMPLE_RATE
    segments = cut(name, packets, base)
    playlist, player = Playlist(TRACKS[name], token="t", discontinuities=7), Player()
    for count, segment in enumerate(segments, 1):
        playlist.add(segment)
        reloaded = player.reload(playlist.text)
        assert reloaded.target == 4
        assert len(reloaded.entries) == min(count, LISTED_SEGMENTS)
        assert reloaded.entries[-1].number == segment.number
        assert playlist.name == f"t-{segment.number}.m4s"
        assert playlist.discontinuities == reloaded.entries[-1].discontinuity
        files = [playlist.file(f"t-{item.number}.m4s") for item in segments[:count]]
        assert files[-KEPT_SEGMENTS:] == [item.data for item in segments[:count][-KEPT_SEGMENTS:]]
        assert files[:-KEPT_SEGMENTS] == [None] * max(0, count - KEPT_SEGMENTS)
        check_times(reloaded.entries, segments[max(0, count - LISTED_SEGMENTS) : count])
    assert player.known[segments[0].number].discontinuity == 8
    assert playlist.discontinuities == 7 + sum(segment.discontinuity for segment in segments)


def check_times(entries: list, segments: list[Segment]) -> None:  # type: ignore[type-arg]
    """Check the times of all segments against the listed times of day and durations."""
    at = 0.0
    for entry, segment in zip(entries, segments, strict=True):
        assert entry.uri == f"t-{segment.number}.m4s"
        assert abs(entry.seconds - segment.frames / SAMPLE_RATE) < 1e-6
        assert (entry.at is not None) == (entry is entries[0] or entry.tagged)
        at = at if entry.at is None else entry.at
        assert abs(at - segment.time / SAMPLE_RATE) < 0.001
        at += entry.seconds


def test_a_playlist_has_the_expected_text() -> None:
    segments = cut("aac", silence("aac", 800), NOW)
    playlist = Playlist(TRACKS["aac"], token="0a1b", discontinuities=41)
    assert playlist.text == ""
    assert playlist.name == ""
    for segment in segments[:2]:
        playlist.add(segment)
    assert playlist.text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:4",
        "#EXT-X-MEDIA-SEQUENCE:450000000",
        "#EXT-X-DISCONTINUITY-SEQUENCE:41",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="0a1b-init.mp4"',
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:00.000Z",
        "#EXTINF:3.989333,",
        "0a1b-450000000.m4s",
        "#EXTINF:4.010667,",
        "0a1b-450000001.m4s",
    ]
    assert playlist.file("0a1b-init.mp4") is not None
    for name in ("", "0a1b-450000002.m4s", "450000001.m4s", "../0a1b-init.mp4", "ffff-450000000.m4s"):
        assert playlist.file(name) is None


def test_a_multivariant_playlist_has_the_expected_text() -> None:
    assert multivariant("opus/index.m3u8", TRACKS["opus"], 96_000).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-STREAM-INF:BANDWIDTH=216000,AVERAGE-BANDWIDTH=100800,CODECS="opus"',
        "opus/index.m3u8",
    ]


def hard_to_encode(seconds: float) -> dict[str, np.ndarray]:
    """Return sounds of shape (frames, 2) for which encoders far exceed their mean rate."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(1).standard_normal((len(t), 2))
    squares = 0.4 * np.stack([np.sign(np.sin(2 * np.pi * hertz * t)) for hertz in (55, 61)], axis=1)
    return {
        "clicks": 0.9 * noise * (np.arange(len(t)) % 480 < 2)[:, None],
        "squares": squares,
        "gated squares": squares * (13 * t % 1 < 0.3)[:, None],
        "bursts of noise": 0.3 * noise * (7 * t % 1 < 0.5)[:, None],
    }


@pytest.mark.parametrize("name", TRACKS)
def test_no_segment_exceeds_the_bandwidth_of_the_multivariant_playlist(name: Format) -> None:
    bit_rate = CODECS[name].bit_rate
    bandwidth = re.search(r"BANDWIDTH=(\d+),AVERAGE", multivariant("", TRACKS[name], bit_rate))
    assert bandwidth is not None
    for sound, audio in hard_to_encode(9).items():
        encoder = open_encoder(name)
        packets = [packet for block in np.array_split(audio.astype(np.float32), 90) for packet in encoder.encode(block)]
        segments = cut(name, packets)
        assert len(segments) >= 1
        for segment in segments:
            assert 8 * len(segment.data) * SAMPLE_RATE / segment.frames < int(bandwidth[1]), sound


def packets_at(timeline: Timeline, segmenter: Segmenter, packets: list[Packet]) -> list[Segment]:
    """Segment packets as a rendition does."""
    segments = []
    for packet in packets:
        segmenter.move(timeline.base(packet.frame))
        if segment := segmenter.feed(packet):
            segments.append(segment)
    return segments


@given(name=names, pause=st.integers(SAMPLE_RATE * 3, SAMPLE_RATE * 1_000), at=st.integers(300, 700))
def test_after_a_pause_of_the_station_times_follow_the_clock(name: str, pause: int, at: int) -> None:
    """The audio continues without a gap, so none is lost; the segments have consecutive numbers."""
    length = TRACKS[name].packet
    packets, live = silence(name, 1_300), at * length
    timeline = Timeline(live=0, at=NOW / SAMPLE_RATE)
    segmenter = Segmenter(TRACKS[name], base=timeline.base(0))
    segments = packets_at(timeline, segmenter, packets[:at])
    for seconds in range(5):
        timeline.observe(live=live + seconds * SAMPLE_RATE, at=(NOW + live + pause) / SAMPLE_RATE + seconds)
    segments += packets_at(timeline, segmenter, packets[at:])
    moved = next(packet.frame for packet in packets if timeline.base(packet.frame) != NOW)
    (place,) = [place for place, segment in enumerate(segments) if segment.discontinuity and place]
    assert segments[place].time == moved - TRACKS[name].delay + NOW + pause
    assert [b.number - a.number for a, b in pairwise(segments)] == [1] * (len(segments) - 1)
    sent = payload(name, segments)
    skipped = int.from_bytes(sent[0][1], "big")
    assert [data for _, data in sent] == [packet.data for packet in packets[skipped : skipped + len(sent)]]


def test_times_follow_the_clock_only_forward_and_only_if_it_stays_ahead() -> None:
    timeline = Timeline(live=0, at=NOW / SAMPLE_RATE)
    for seconds in range(20):  # half a minute behind; half of it is soon made up
        behind = 30 if seconds < 2 else 15
        timeline.observe(live=seconds * SAMPLE_RATE, at=NOW / SAMPLE_RATE + seconds + behind)
    assert timeline.base(20 * SAMPLE_RATE) == NOW + 15 * SAMPLE_RATE
    for seconds in range(20, 40):  # the clock is set back by an hour
        timeline.observe(live=seconds * SAMPLE_RATE, at=NOW / SAMPLE_RATE + seconds - 3_600)
    for seconds in range(40, 60):
        timeline.observe(live=seconds * SAMPLE_RATE, at=NOW / SAMPLE_RATE + seconds + 15 + 0.9 * TOLERANCE)
    assert timeline.base(60 * SAMPLE_RATE) == NOW + 15 * SAMPLE_RATE
    assert timeline.base(0) == NOW
    assert SETTLING < 20


def test_the_discontinuity_number_stays_small_for_a_century() -> None:
    """hls.js iterates over an array of this many entries at each reload."""
    assert 0 < Timeline(live=0, at=NOW / SAMPLE_RATE).discontinuities < 10_000
    assert Timeline(live=0, at=NOW / SAMPLE_RATE + 100 * 365 * 86_400).discontinuities < 1_000_000
    assert Timeline(live=0, at=0).discontinuities == 0


@given(milliseconds=st.integers(0, 4 * 10**12))
def test_the_time_of_day_is_exact_to_the_millisecond(milliseconds: int) -> None:
    text = time_of_day(milliseconds * SAMPLE_RATE // 1_000)
    assert round(datetime.fromisoformat(text).timestamp() * 1_000) == milliseconds


@pytest.mark.parametrize("name", TRACKS)
def test_consecutive_segments_decode_seamlessly(name: str) -> None:
    t = np.arange(13 * SAMPLE_RATE) / SAMPLE_RATE
    audio = np.repeat(0.25 * np.sin(2 * np.pi * 440 * t)[:, None], 2, axis=1).astype(np.float32)
    segmenter = Segmenter(TRACKS[name], base=NOW)
    segments = [segment for packet in encoded(name, audio) if (segment := segmenter.feed(packet))]
    assert len(segments) == 3
    playlist = Playlist(TRACKS[name], token="t", discontinuities=0)
    init = playlist.file("t-init.mp4")
    assert init is not None
    with av.open(io.BytesIO(init + b"".join(segment.data for segment in segments))) as container:
        frames = list(container.decode(audio=0))
    assert [frame.pts for frame in frames] == [segments[0].time + n * TRACKS[name].packet for n in range(len(frames))]
    planar = frames[0].format.is_planar
    left = np.concatenate([frame.to_ndarray()[0, :: 1 if planar else 2] for frame in frames])
    expected = 0.25 * np.sin(2 * np.pi * 440 * (segments[0].time - NOW + np.arange(len(left))) / SAMPLE_RATE)
    settled = slice(4_800, None)
    assert np.abs(left - expected)[settled].max() < 0.02
