from __future__ import annotations

from radio.server.broadcast.now_playing import TRACKS, NowPlaying
from radio.types import SAMPLE_RATE, StationEvent

AT = 1_700_000_000.0


def track(frame: int, title: str) -> StationEvent:
    return StationEvent(frame, "track", {"title": title, "number": frame // 100})


def note(frame: int) -> StationEvent:
    return StationEvent(frame, "note", {"layer": "keys", "note": 60, "velocity": 80})


def bar(frame: int, number: int) -> StationEvent:
    return StationEvent(frame, "bar", {"number": number, "chord": "Am7"})


def on_the_air() -> NowPlaying:
    """Two tracks have started, a third is announced for frame 300."""
    now = NowPlaying()
    for event in (track(0, "one"), bar(0, 0), bar(50, 1), track(100, "two"), bar(100, 2)):
        now.announce(event)
        now.air(event, AT + event.frame)
    now.announce(track(300, "three"))
    return now


def test_titles_that_are_announced_are_found_before_they_start() -> None:
    now = on_the_air()
    assert now.titles_between(0, 301) == [(0, "one"), (100, "two"), (300, "three")]
    assert now.titles_between(1, 300) == [(100, "two")]
    assert now.titles_between(101, 300) == []
    assert [now.title_at(frame) for frame in (-1, 0, 99, 100, 299, 300)] == [None, "one", "one", "two", "two", "three"]


def test_what_is_on_has_started() -> None:
    now = on_the_air()
    on = now.as_json()
    assert on["track"] == {"title": "two", "number": 1, "frame": 100, "started_at": "2023-11-14T22:15:00.000+00:00"}
    assert on["bar"] == {"number": 2, "chord": "Am7", "frame": 100}
    assert [track.bar for track in now.tracks] == [0, 2]
    kinds = [(each["kind"], each["frame"]) for each in now.recent()]  # type: ignore[index,call-overload]
    assert kinds == [("track", 0), ("bar", 0), ("bar", 50), ("track", 100), ("bar", 100)]


def test_what_will_never_air_is_forgotten() -> None:
    now = on_the_air()
    now.retract(300)
    assert now.titles_between(0, 1_000) == [(0, "one"), (100, "two")]
    assert now.title_at(400) == "two"


def test_a_track_that_airs_is_counted_once() -> None:
    now = on_the_air()
    now.air(track(300, "three"), AT)
    assert now.titles_between(0, 1_000) == [(0, "one"), (100, "two"), (300, "three")]


def test_memory_is_bounded() -> None:
    now = NowPlaying()
    for number in range(1_000):
        now.announce(track(number, str(number)))
        now.air(track(number, str(number)), AT)
        now.air(bar(number, number), AT)
        now.air(note(number * SAMPLE_RATE), AT)
    assert (len(now.tracks), len(now.coming)) == (TRACKS, 0)
    assert now.tracks[0].title == str(1_000 - TRACKS)
    assert len(now.recent()) < 70


def test_notes_are_told_for_as_long_as_they_may_be_heard() -> None:
    now = NowPlaying()
    for second in range(100):
        now.air(note(second * SAMPLE_RATE), AT)
    frames = [each["frame"] for each in now.recent()]  # type: ignore[index,call-overload]
    assert frames == [second * SAMPLE_RATE for second in range(70, 100)]
