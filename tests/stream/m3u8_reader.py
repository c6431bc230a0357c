"""A strict reader of media playlists, and a player that checks each reload against RFC 8216."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

URI = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class Entry:
    """A segment in a media playlist."""

    number: int
    uri: str
    seconds: float
    discontinuity: int
    tagged: bool
    """True if the entry has the tag EXT-X-DISCONTINUITY."""
    at: float | None
    """Seconds since 1970, if the playlist gives the time."""


@dataclass(frozen=True)
class MediaPlaylist:
    """The contents of a media playlist."""

    target: int
    init: str
    discontinuity: int
    entries: list[Entry]

    @property
    def numbers(self) -> list[int]:
        return [entry.number for entry in self.entries]


def read_list(text: str) -> MediaPlaylist:
    lines = text.split("\n")
    assert lines[:2] == ["#EXTM3U", "#EXT-X-VERSION:7"]
    assert lines.pop() == "", "the last line ends with a newline"
    head: dict[str, str] = {}
    entries: list[Entry] = []
    seconds, at, tagged = None, None, False
    for line in lines[2:]:
        name, _, value = line.partition(":")
        if name in {"#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-DISCONTINUITY-SEQUENCE", "#EXT-X-MAP"}:
            assert name not in head
            assert not entries
            head[name] = value
        elif name == "#EXT-X-INDEPENDENT-SEGMENTS":
            assert not value
        elif name == "#EXT-X-DISCONTINUITY":
            assert not tagged
            tagged = True
        elif name == "#EXT-X-PROGRAM-DATE-TIME":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value)
            at = datetime.fromisoformat(value).timestamp()
        elif name == "#EXTINF":
            assert re.fullmatch(r"\d+\.\d{6},", value)
            seconds = float(value[:-1])
        else:
            assert URI.fullmatch(line), f"invalid line {line!r}"
            assert seconds is not None, "a segment has a duration"
            previous = entries[-1].discontinuity if entries else int(head["#EXT-X-DISCONTINUITY-SEQUENCE"])
            number = int(head["#EXT-X-MEDIA-SEQUENCE"]) + len(entries)
            entries.append(Entry(number, line, seconds, previous + tagged, tagged, at))
            seconds, at, tagged = None, None, False
    assert not tagged
    assert seconds is None
    target = int(head["#EXT-X-TARGETDURATION"])
    assert all(round(entry.seconds) <= target for entry in entries)
    init = re.fullmatch(r'URI="([\w.-]+)"', head["#EXT-X-MAP"])
    assert init is not None
    return MediaPlaylist(target, init[1], int(head["#EXT-X-DISCONTINUITY-SEQUENCE"]), entries)


@dataclass
class Player:
    """A player that remembers all segments listed so far."""

    known: dict[int, Entry] = field(default_factory=dict)
    first: int = 0

    def reload(self, text: str) -> MediaPlaylist:
        """Read the current playlist and check that it agrees with earlier ones (RFC 8216, 6.2.2)."""
        playlist = read_list(text)
        assert playlist.numbers[0] >= self.first, "the media sequence decreased"
        assert playlist.numbers[-1] >= max(self.known, default=0), "segments at the end disappeared"
        for entry in playlist.entries:
            earlier = self.known.get(entry.number)
            if earlier is not None:
                assert (entry.uri, entry.seconds, entry.tagged) == (earlier.uri, earlier.seconds, earlier.tagged)
                assert entry.discontinuity == earlier.discontinuity
            elif self.known:
                last = self.known[max(self.known)]
                assert entry.discontinuity >= last.discontinuity
                if entry.number == last.number + 1:
                    assert entry.discontinuity == last.discontinuity + entry.tagged
            self.known[entry.number] = entry
        self.first = playlist.numbers[0]
        return playlist
