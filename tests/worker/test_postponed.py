"""Changes that a station makes when it resumes in another worker."""

from __future__ import annotations

import pickle
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from radio.errors import StreamError
from radio.server.broadcast.postponed import Postponed
from radio.settings.station import StationSettings
from radio.station.factory import open_station
from radio.station.resume import PREROLL, LogEntry, Resume
from radio.types import MIX_BLOCK, SAMPLE_RATE, Frames, Landing, StationEvent
from radio.worker import main
from radio.worker.wire import ControlsLanded, Message, Render, Snapshot, Start, StationReady
from tests.server.tone_worker import BAR
from tests.server.tone_worker import settings as tone
from tests.station import test_station
from tests.worker.test_main import DEADLINE, WorkerConnection, running

small = test_station.settings

CHANGE = Postponed({"tempo": 72.0, "rain_mute": False}, ({"tempo": 70.0}, {"tempo": 68.0}))


def test_changes_are_merged_as_a_station_would_merge_them() -> None:
    later = CHANGE.followed_by({"rain_mute": True}).followed_by({"swing": 0.6}, [{"swing": 0.7}])
    assert later.patch == {"tempo": 72.0, "rain_mute": True, "swing": 0.6}
    assert later.later == ({"tempo": 70.0, "swing": 0.7}, {"tempo": 68.0})
    assert later.followed_by({"tempo": 80.0}).later == ({"swing": 0.7}, {})
    assert later.names == {"tempo", "rain_mute", "swing"}


def test_a_change_is_sent_and_confirmed_in_parts() -> None:
    music, mix = CHANGE.messages()
    assert (music.patch, mix.patch) == ({"tempo": 72.0}, {"rain_mute": False})
    made, rest = CHANGE.without(music.number)
    assert (made, rest) == (music, Postponed({"rain_mute": False}))
    assert rest.without(mix.number) == (mix, Postponed())
    with pytest.raises(StreamError, match="was not sent"):
        rest.without(music.number)


@pytest.mark.parametrize("place", [3 * BAR, 3 * BAR + 777])
def test_a_resumed_tone_makes_the_changes(place: Frames) -> None:
    with running() as (worker, raised):
        resume = Resume(b"", (LogEntry(BAR, {"tempo": 90.0}),), 0, place, place)
        worker.send(Start(pickle.dumps(tone()), resume, changes=CHANGE.messages()))
        assert worker.receive() == StationReady(place)
        music, mix = worker.receive(), worker.receive()
        assert isinstance(music, ControlsLanded)
        assert music.landings["tempo"].frame == -(-place // BAR) * BAR
        assert isinstance(mix, ControlsLanded)
        assert mix.landings["rain_mute"].frame == mix.mixed == place
    assert raised == []


@contextmanager
def station() -> Iterator[WorkerConnection]:
    ours, theirs = socket.socketpair()

    def run() -> None:
        with theirs:
            main.run(theirs, open_station)

    thread = threading.Thread(target=run)
    thread.start()
    with ours:
        yield WorkerConnection(ours)
    thread.join(DEADLINE)


@pytest.mark.slow
def test_a_resumed_station_makes_the_changes_in_the_bar_where_its_music_stopped(small: StationSettings) -> None:
    end = 15 * SAMPLE_RATE
    with station() as worker:
        worker.send(Start(pickle.dumps(small)), Render(end, end))
        played = worker.until(end)
    snapshot, *_ = (message for message in played if isinstance(message, Snapshot) and message.data)
    bars = {bar.frame: bar.data for bar in played if isinstance(bar, StationEvent) and bar.kind == "bar"}
    place = next(frame for frame in bars if frame > snapshot.frame + PREROLL + SAMPLE_RATE)
    resume = Resume(snapshot.data, (), snapshot.frame + PREROLL, place, place)
    with station() as worker:
        worker.send(Start(pickle.dumps(small), resume, changes=CHANGE.messages()), Render(place + end, place))
        ready, music, mix, *after = worker.until(place + end // 2)
    assert ready == StationReady(place)
    assert isinstance(music, ControlsLanded)
    assert music.landings["tempo"] == Landing(bars[place]["number"], place)  # type: ignore[arg-type]  # any JSON
    assert isinstance(mix, ControlsLanded)
    assert place <= mix.landings["rain_mute"].frame <= place + 3 * MIX_BLOCK
    tempos = [bar["tempo"] for bar in _events(after, "bar") if bar["number"] >= bars[place]["number"]]
    assert tempos[:3] == [72.0, 70.0, 68.0]
    assert {"rain_mute": False} in _events(after, "control")
    changed = [message for message in after if isinstance(message, Snapshot) and message.frame > music.mixed]
    with station() as worker:  # another worker resumes from there, and the change persists
        later = Resume(changed[0].data, (), changed[0].frame, changed[0].frame, changed[0].frame)
        worker.send(Start(pickle.dumps(small), later), Render(changed[0].frame + end // 2, 0))
        tempos = [bar["tempo"] for bar in _events(worker.until(changed[0].frame + end // 2), "bar")]
    assert tempos[:2] in ([72.0, 70.0], [70.0, 68.0])


def _events(messages: list[Message], kind: str) -> list[dict[str, object]]:
    return [dict(message.data) for message in messages if isinstance(message, StationEvent) and message.kind == kind]
