"""HTTP Live Streaming in pure code: packets become segments, segments become lists (RFC 8216).

All times are frames since 1970 ("epoch-locked"). A segment spans the time between two multiples of `TARGET_DURATION`,
and its number is the multiple at which it begins. So all renditions share their segment numbers, and the numbers
continue to rise after a restart of the server without any saved state. If the clock is set back while the server is
down, the numbers fall and players start over. Discontinuity sequence numbers work the same way: each run of the server
counts them from the number of its first segment.

Each cut lies at the packet that begins nearest to its multiple. So the length of a segment differs from
`TARGET_DURATION` by less than a packet, and so does the sum of any number of consecutive segments from its multiple.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from radio.stream.formats.fmp4 import Mp4Track, init_segment, media_segment
from radio.types import SAMPLE_RATE, Frames, Packet, Seconds

TARGET_DURATION: Seconds = 4
"""How long a segment is meant to last."""

SEGMENT_FRAMES: Frames = int(TARGET_DURATION * SAMPLE_RATE)

LISTED_SEGMENTS = 15
"""Segments in a list: a minute."""

KEPT_SEGMENTS = 75
"""Segments that can be had: five minutes, for players that paused, and for caches that are slow."""

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
SEGMENT_TYPE = "audio/mp4"

_HOLE: Frames = SAMPLE_RATE // 10
"""A hole in the packets up to this long is bridged by the packet before it; an encoder that starts anew leaves one."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Timeline:
    """What the renditions of a station share for a life of the server."""

    base: Frames
    """Frames since 1970 at which the station's frame 0 lies."""
    discontinuities: int
    """The discontinuity sequence number before what is on now, which any list begins with a discontinuity."""

    @classmethod
    def starting(cls, *, live: Frames, at: Seconds) -> Timeline:
        """That of a station whose live edge is at frame `live` when it is `at` seconds after 1970."""
        base = round(at * SAMPLE_RATE) - live
        return cls(base, base // SEGMENT_FRAMES)


@dataclass(frozen=True, slots=True)
class Segment:
    """A media segment, with what a list says of it."""

    number: int
    time: Frames
    frames: Frames
    data: bytes
    discontinuity: bool
    """Whether what was heard before it does not lead on to it."""


class Segmenter:
    """Cuts packets into segments, whatever encoders they come from.

    Args:
        track: What the packets are.
        base: Frames since 1970 at which the station's frame 0 lies.
    """

    def __init__(self, track: Mp4Track, *, base: Frames) -> None:
        self._track = track
        self._shift = base - track.delay
        self._packets: list[Packet] = []
        self._time: Frames = 0
        self._due: Frames | None = None
        """When the next packet is to begin; none before the first."""
        self._cell = 0
        self._number: int | None = None
        self._broken = False

    def feed(self, packet: Packet) -> Segment | None:
        """Take the next packet; return the segment that ends before it, if one does.

        A packet that begins before the one due is left out: its audio has been here. At the very beginning, and after
        a hole too long to be bridged, a segment begins at the next multiple of the target.
        """
        time = packet.frame + self._shift
        if self._due is not None and time < self._due:
            return None
        cell = self._nearest(time)
        done = None
        if self._due is None or time - self._due > _HOLE:
            done = self._close()
            self._broken = True
            before = self._nearest(time - packet.frames)
        else:
            self._bridge(time - self._due)
            before = self._cell
        if cell != before:
            done = done or self._close()
            self._time = time
        if cell != before or self._packets:
            self._packets.append(packet)
        self._due, self._cell = time + packet.frames, cell
        return done

    def _nearest(self, time: Frames) -> int:
        """The last multiple of the target that a packet of this time is nearest to, or after."""
        return (time + self._track.packet // 2) // SEGMENT_FRAMES

    def _bridge(self, hole: Frames) -> None:
        if self._packets and hole:
            self._packets[-1] = replace(self._packets[-1], frames=self._packets[-1].frames + hole)

    def _close(self) -> Segment | None:
        if not self._packets:
            return None
        packets, self._packets = self._packets, []
        # After a break of several segments the multiples run ahead of the numbers: those leave none out.
        self._number = self._nearest(self._time) if self._number is None else self._number + 1
        data = media_segment(self._track, packets, number=self._number, time=self._time)
        broken, self._broken = self._broken, False
        return Segment(self._number, self._time, sum(packet.frames for packet in packets), data, broken)


class Playlist:
    """The segments of one rendition that can be had, and the list of the last of them.

    Args:
        track: What the segments hold.
        token: Begins the names of all files, so that no cache ever takes one for that of an earlier life.
        discontinuities: The discontinuity sequence number before the first segment, which has one of its own.
    """

    def __init__(self, track: Mp4Track, *, token: str, discontinuities: int) -> None:
        self.init_name = f"{token}-init.mp4"
        self.text = ""
        """The list as it is now; empty before the first segment."""
        self._token = token
        self._init = init_segment(track)
        self._kept: dict[str, Segment] = {}
        self._listed: deque[Segment] = deque()
        self._passed = discontinuities

    @property
    def name(self) -> str:
        """Another one for every list that differs."""
        return self._name(self._listed[-1]) if self._listed else ""

    @property
    def discontinuities(self) -> int:
        """The discontinuity sequence number of the newest segment."""
        return self._passed + sum(segment.discontinuity for segment in self._listed)

    def add(self, segment: Segment) -> None:
        """List a segment, whose number follows on the last one's."""
        self._listed.append(segment)
        if len(self._listed) > LISTED_SEGMENTS:
            self._passed += self._listed.popleft().discontinuity
        self._kept[self._name(segment)] = segment
        if len(self._kept) > KEPT_SEGMENTS:
            del self._kept[next(iter(self._kept))]
        self.text = self._write()

    def file(self, name: str) -> bytes | None:
        """The init segment or a segment that is kept."""
        if name == self.init_name:
            return self._init
        segment = self._kept.get(name)
        return segment.data if segment else None

    def _name(self, segment: Segment) -> str:
        return f"{self._token}-{segment.number}.m4s"

    def _write(self) -> str:
        """The list (RFC 8216, section 4.3). A time of day stands where it cannot be told from the segment before."""
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{TARGET_DURATION:g}",
            f"#EXT-X-MEDIA-SEQUENCE:{self._listed[0].number}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._passed}",
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


@dataclass(frozen=True, slots=True)
class Variant:
    """A rendition as the list of variants has it; `bandwidth` is its fastest segment's rate in bit/s."""

    address: str
    codec: str
    bandwidth: int


def multivariant(variants: Iterable[Variant]) -> str:
    """The list of renditions, the first of which is what most players begin with (RFC 8216, section 4.3.4)."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for each in variants:
        lines += [f'#EXT-X-STREAM-INF:BANDWIDTH={each.bandwidth},CODECS="{each.codec}"', each.address]
    return "\n".join(lines) + "\n"


def time_of_day(time: Frames) -> str:
    """Frames since 1970 in UTC, to the millisecond (ISO 8601)."""
    milliseconds = (time * 1_000 + SAMPLE_RATE // 2) // SAMPLE_RATE
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
