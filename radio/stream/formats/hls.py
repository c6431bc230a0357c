"""Segments and playlists of HTTP Live Streaming (RFC 8216).

All times are frames since 1970 ("epoch-locked"). A segment spans the time between two multiples of `TARGET_DURATION`,
and its number is the multiple at which it begins. Therefore all renditions share segment numbers, and the numbers keep
rising after a restart of the server without any saved state. If the clock is set back while the server is down, the
numbers fall and players start over.

Each cut is at the packet that begins nearest to a multiple. Therefore the length of a segment differs from
`TARGET_DURATION` by less than a packet, and the errors of consecutive segments do not add up.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from radio.stream.formats.fmp4 import Mp4Track, init_segment, media_segment
from radio.types import SAMPLE_RATE, Frames, Packet, Seconds

TARGET_DURATION: Seconds = 4
"""Nominal duration of a segment."""

SEGMENT_FRAMES: Frames = int(TARGET_DURATION * SAMPLE_RATE)

LISTED_SEGMENTS = 15
"""Segments in a playlist: a minute."""

KEPT_SEGMENTS = 75
"""Segments that remain available while a rendition runs: five minutes, for slow caches and players that fall behind."""

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
SEGMENT_TYPE = "audio/mp4"

_MAX_GAP: Frames = SAMPLE_RATE // 10
"""Gaps up to this length, such as a restarted encoder leaves, are bridged by extending the previous packet."""

_PEAK = 2.25
"""Upper limit for the rate of any segment, relative to the encoder's mean: encoders may briefly double the mean."""
_MEAN = 1.05
"""The mean rate of all segments, relative to the encoder's mean: boxes add less than 5 %."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Segment:
    """A media segment with its entry in the playlist."""

    number: int
    time: Frames
    frames: Frames
    data: bytes
    discontinuity: bool
    """True if the segment does not continue the previous one."""


class Segmenter:
    """A segmenter that groups packets into segments. The packets may come from several encoders in turn.

    Args:
        track: the codec of the packets.
        base: the station's frame 0, in frames since 1970.
    """

    def __init__(self, track: Mp4Track, *, base: Frames) -> None:
        self._track = track
        self._base = base
        self._packets: list[Packet] = []
        self._time: Frames = 0
        self._due: Frames | None = None
        """The expected time of the next packet; None before the first."""
        self._cell = 0
        self._number: int | None = None
        self._broken = False
        self._moved = False
        """True if the base has changed since the last packet."""

    def move(self, base: Frames) -> None:
        """Set the time of the station's frame 0 for later packets. If it changes, the next packet begins a segment."""
        if base != self._base:
            self._due = None if self._due is None else self._due + base - self._base
            self._base, self._moved = base, self._due is not None

    def feed(self, packet: Packet) -> Segment | None:
        """Add the next packet and return the segment that it completes, if any.

        A packet that begins before the expected time is dropped, because its audio is already there. At first, and
        after a gap too long to bridge, a segment begins at the next multiple of the target duration.
        """
        time = packet.frame + self._base - self._track.delay
        if self._due is not None and time < self._due:
            return None
        cell = self._nearest(time)
        complete = None
        if self._due is None or time - self._due > _MAX_GAP:
            complete, self._broken = self._close(), True
            begins = cell != self._nearest(time - packet.frames)
        else:
            self._bridge(time - self._due)
            begins = cell != self._cell or self._moved
            if self._moved:
                complete, self._broken = self._close(), True
        self._moved = False
        if begins:
            complete = complete or self._close()
            self._time = time
        if begins or self._packets:
            self._packets.append(packet)
        self._due, self._cell = time + packet.frames, cell
        return complete

    def _nearest(self, time: Frames) -> int:
        """Return the number of the multiple of the target duration at or before `time`, give or take half a packet."""
        return (time + self._track.packet // 2) // SEGMENT_FRAMES

    def _bridge(self, gap: Frames) -> None:
        if self._packets and gap:
            self._packets[-1] = replace(self._packets[-1], frames=self._packets[-1].frames + gap)

    def _close(self) -> Segment | None:
        if not self._packets:
            return None
        packets, self._packets = self._packets, []
        # After a long gap, the multiples are ahead of the numbers, which must be consecutive.
        self._number = self._nearest(self._time) if self._number is None else self._number + 1
        data = media_segment(self._track, packets, number=self._number, time=self._time)
        broken, self._broken = self._broken, False
        return Segment(self._number, self._time, sum(packet.frames for packet in packets), data, broken)


class Playlist:
    """The available segments of one rendition, and the playlist of the latest ones.

    Args:
        track: the codec of the segments.
        token: a prefix for the names of all files, so that caches do not confuse them with files from an earlier run.
        discontinuities: the discontinuity sequence number before the first segment, which adds one.
    """

    def __init__(self, track: Mp4Track, *, token: str, discontinuities: int) -> None:
        self.init_name = f"{token}-init.mp4"
        self.text = ""
        """The current playlist; empty before the first segment."""
        self._token = token
        self._init = init_segment(track)
        self._segments: dict[str, Segment] = {}
        self._listed: deque[Segment] = deque()
        self._past_discontinuities = discontinuities

    @property
    def name(self) -> str:
        """A name that changes whenever the playlist does."""
        return self._name(self._listed[-1]) if self._listed else ""

    @property
    def discontinuities(self) -> int:
        """The discontinuity sequence number of the newest segment."""
        return self._past_discontinuities + sum(segment.discontinuity for segment in self._listed)

    def add(self, segment: Segment) -> None:
        """Add the next segment; its number must follow the previous one."""
        self._listed.append(segment)
        if len(self._listed) > LISTED_SEGMENTS:
            self._past_discontinuities += self._listed.popleft().discontinuity
        self._segments[self._name(segment)] = segment
        if len(self._segments) > KEPT_SEGMENTS:
            del self._segments[next(iter(self._segments))]
        self.text = self._write()

    def file(self, name: str) -> bytes | None:
        """Return the init segment or an available segment by name, or None if there is no such file."""
        if name == self.init_name:
            return self._init
        segment = self._segments.get(name)
        return segment.data if segment else None

    def _name(self, segment: Segment) -> str:
        return f"{self._token}-{segment.number}.m4s"

    def _write(self) -> str:
        """Return the playlist (RFC 8216, section 4.3), with the time of day at its start and at discontinuities."""
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{TARGET_DURATION:g}",
            f"#EXT-X-MEDIA-SEQUENCE:{self._listed[0].number}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._past_discontinuities}",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f'#EXT-X-MAP:URI="{self.init_name}"',
        ]
        for place, segment in enumerate(self._listed):
            if segment.discontinuity:
                lines.append("#EXT-X-DISCONTINUITY")
            if segment.discontinuity or place == 0:
                lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{time_of_day(segment.time)}")
            lines += [f"#EXTINF:{segment.frames / SAMPLE_RATE:.6f},", self._name(segment)]
        return "\n".join(lines) + "\n"


def multivariant(address: str, track: Mp4Track, bit_rate: int) -> str:
    """Return a multivariant playlist with one variant (RFC 8216, section 4.3.4), including the name of its codec.

    Args:
        address: the address of the variant's playlist.
        track: the variant's codec.
        bit_rate: the mean rate of its encoder, in bit/s.
    """
    rates = f"BANDWIDTH={round(bit_rate * _PEAK)},AVERAGE-BANDWIDTH={round(bit_rate * _MEAN)}"
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    return "\n".join([*lines, f'#EXT-X-STREAM-INF:{rates},CODECS="{track.codec}"', address, ""])


def time_of_day(time: Frames) -> str:
    """Format frames since 1970 as UTC with milliseconds (ISO 8601)."""
    milliseconds = (time * 1_000 + SAMPLE_RATE // 2) // SAMPLE_RATE
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
