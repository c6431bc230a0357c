from __future__ import annotations

import json

from radio.server.broadcast.event_stream import SIDS, WAITING, Subscribers, encoded
from radio.types import StationEvent


def event(frame: int) -> StationEvent:
    return StationEvent(frame, "bar", {"number": frame, "chord": "Dm7"})


async def test_a_client_that_does_not_read_is_cut_off_and_the_others_miss_nothing() -> None:
    subscribers, cut = Subscribers(), []
    slow, good = subscribers.join(lambda: cut.append("slow")), subscribers.join(lambda: cut.append("good"))
    heard = []
    for frame in range(WAITING + 10):
        subscribers.publish(event(frame))
        heard.append(good.queue.get_nowait())
    assert cut == ["slow"]
    assert len(heard) == WAITING + 10
    assert slow.queue.qsize() == WAITING + 1
    subscribers.leave(slow)
    subscribers.leave(good)
    subscribers.publish(event(0))
    assert good.queue.empty()


async def test_closing_ends_every_stream() -> None:
    subscribers = Subscribers()
    subscriber = subscribers.join(lambda: None)
    subscribers.close()
    assert subscriber.queue.get_nowait() is None


def test_an_event_is_two_lines_and_a_blank_one() -> None:
    text = encoded("track", {"title": "a\nb", "frame": 3}).decode()
    kind, data, *rest = text.split("\n")
    assert (kind, rest) == ("event: track", ["", ""])
    assert json.loads(data.removeprefix("data: ")) == {"title": "a\nb", "frame": 3}


def test_who_listens_to_a_stream_is_told_where_it_begins() -> None:
    subscribers = Subscribers()
    mine, other, none = (subscribers.join(lambda: None, sid=sid) for sid in ("mine", "other", None))
    subscribers.record_stream_start("mine", 480, 960)
    assert mine.queue.get_nowait() == b'event: stream\ndata: {"sid":"mine","first":480,"live":960}\n\n'
    assert other.queue.empty()
    assert none.queue.empty()
    assert (subscribers.first_frame("mine"), subscribers.first_frame("other")) == (480, None)


def test_the_beginnings_of_streams_are_forgotten_in_the_end() -> None:
    subscribers = Subscribers()
    for number in range(SIDS + 10):
        subscribers.record_stream_start("again", 0, 0)
        subscribers.record_stream_start(str(number), number, number)
    assert subscribers.first_frame("again") == 0
    assert subscribers.first_frame("9") is None
    assert subscribers.first_frame(str(SIDS + 9)) == SIDS + 9
