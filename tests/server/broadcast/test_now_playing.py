from __future__ import annotations

import json

from radio.server.api.body import encode
from radio.server.api.events import AirEvent, read_event
from radio.server.broadcast.now_playing import MAX_TRACKS, NowPlaying
from radio.types import SAMPLE_RATE, StationEvent
from tests.server.tone_worker import bar_event, track_event

AT = 1_700_000_000.0


def track(frame: int, title: str) -> AirEvent:
    return read_event(track_event(frame, title=title, number=frame // 100))


def note(frame: int) -> AirEvent:
    return read_event(StationEvent(frame, "note", {"layer": "keys", "note": 60, "velocity": 80, "tick": 0}))


def bar(frame: int, number: int) -> AirEvent:
    return read_event(bar_event(frame, number=number))


def on_the_air() -> NowPlaying:
    """Return a state in which two tracks have started and a third is announced for frame 300."""
    now = NowPlaying()
    for event in (track(0, "one"), bar(0, 0), bar(50, 1), track(100, "two"), bar(100, 2)):
        now.announce(event)
        now.air(event, AT + event.frame)
    now.announce(track(300, "three"))
    return now


def test_announced_titles_are_returned_before_they_start() -> None:
    now = on_the_air()
    assert [now.title_at(frame) for frame in (-1, 0, 99, 100, 299, 300)] == [None, "one", "one", "two", "two", "three"]


def test_the_current_track_and_bar_are_the_last_to_have_started() -> None:
    now = on_the_air()
    current = json.loads(encode(now.current()))
    assert current["track"] == {
        **track_event(100, title="two", number=1).data,
        "instrument_names": {},
        "frame": 100,
        "started_at": "2023-11-14T22:15:00.000+00:00",
    }
    still = {
        "lowpass": [20_000.0, 20_000.0],
        "gain_db": [0.0, 0.0],
        "drums_band": 0.0,
        "stop": False,
        "level_db": [0.0, 0.0],
        "keys_db": 0.0,
    }
    assert current["bar"] == {
        **bar_event(100, number=2).data,
        "frame": 100,
        "frames": 0,
        "mix": still,
        "instruments": {},
        "hold": False,
        "key": "",
    }
    assert [track.bar for track in now.tracks] == [0, 2]
    kinds = [(event["kind"], event["frame"]) for event in json.loads(encode(now.recent()))]
    assert kinds == [("track", 0), ("bar", 0), ("bar", 50), ("track", 100), ("bar", 100)]


def test_retracted_events_are_removed() -> None:
    now = on_the_air()
    now.retract(300)
    assert [track.title for track in now.tracks] == ["one", "two"]
    assert now.title_at(400) == "two"


def test_an_announced_track_that_airs_is_listed_once() -> None:
    now = on_the_air()
    now.air(track(300, "three"), AT)
    assert [track.title for track in now.tracks] == ["one", "two", "three"]
    assert not now.coming


def test_a_track_that_restarts_after_an_interruption_is_listed_once() -> None:
    now = on_the_air()
    now.air(read_event(track_event(250, title="two", number=1)), AT + 250)
    assert [(track.frame, track.title) for track in now.tracks] == [(0, "one"), (100, "two")]


def test_memory_is_bounded() -> None:
    now = NowPlaying()
    for number in range(1_000):
        now.announce(track(number, str(number)))
        now.air(track(number, str(number)), AT)
        now.air(bar(number, number), AT)
        now.air(note(number * SAMPLE_RATE), AT)
    assert (len(now.tracks), len(now.coming)) == (MAX_TRACKS, 0)
    assert now.tracks[0].title == str(1_000 - MAX_TRACKS)
    assert len(now.recent()) < 70


def test_recent_notes_reach_back_half_a_minute() -> None:
    now = NowPlaying()
    for second in range(100):
        now.air(note(second * SAMPLE_RATE), AT)
    frames = [event.frame for event in now.recent()]
    assert frames == [second * SAMPLE_RATE for second in range(70, 100)]
