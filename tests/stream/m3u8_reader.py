"""A strict reader of media playlists, and a player's memory that notices every broken promise of RFC 8216."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

URI = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class Entry:
    number: int
    uri: str
    seconds: float
    discontinuity: int
    tagged: bool
    at: float | None
    """Seconds since 1970, where the list says so."""


@dataclass(frozen=True)
class List:
    target: int
    init: str
    discontinuity: int
    entries: list[Entry]

    @property
    def numbers(self) -> list[int]:
        return [entry.number for entry in self.entries]


def read_list(text: str) -> List:
    lines = text.split("\n")
    assert lines[:2] == ["#EXTM3U", "#EXT-X-VERSION:7"]
    assert lines.pop() == "", "the last line has an end"
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
            assert URI.fullmatch(line), f"what is {line!r}?"
            assert seconds is not None, "a segment has a duration"
            before = entries[-1].discontinuity if entries else int(head["#EXT-X-DISCONTINUITY-SEQUENCE"])
            number = int(head["#EXT-X-MEDIA-SEQUENCE"]) + len(entries)
            entries.append(Entry(number, line, seconds, before + tagged, tagged, at))
            seconds, at, tagged = None, None, False
    assert not tagged
    assert seconds is None
    target = int(head["#EXT-X-TARGETDURATION"])
    assert all(round(entry.seconds) <= target for entry in entries)
    init = re.fullmatch(r'URI="([\w.-]+)"', head["#EXT-X-MAP"])
    assert init is not None
    return List(target, init[1], int(head["#EXT-X-DISCONTINUITY-SEQUENCE"]), entries)


@dataclass
class Player:
    """Remembers every segment it was told of."""

    known: dict[int, Entry] = field(default_factory=dict)
    first: int = 0

    def reload(self, text: str) -> List:
        """Read the list as it is now; what it says must agree with all that it said before (RFC 8216, 6.2.2)."""
        now = read_list(text)
        assert now.numbers[0] >= self.first, "the media sequence went back"
        assert now.numbers[-1] >= max(self.known, default=0), "segments at the end went away"
        for entry in now.entries:
            before = self.known.get(entry.number)
            if before is not None:
                assert (entry.uri, entry.seconds, entry.tagged) == (before.uri, before.seconds, before.tagged)
                assert entry.discontinuity == before.discontinuity
            elif self.known:
                last = self.known[max(self.known)]
                assert entry.discontinuity >= last.discontinuity
                if entry.number == last.number + 1:
                    assert entry.discontinuity == last.discontinuity + entry.tagged
            self.known[entry.number] = entry
        self.first = now.numbers[0]
        return now
