from __future__ import annotations

import json

from radio.server.api.events import AirEvent, encode_event, read_event
from radio.server.broadcast.event_stream import MAX_QUEUED, MAX_STREAMS, Subscribers
from tests.server.tone_worker import bar_event


def event(frame: int) -> AirEvent:
    return read_event(bar_event(frame, number=frame))


async def test_a_client_that_does_not_read_is_disconnected_and_others_miss_nothing() -> None:
    subscribers, disconnected = Subscribers(), []
    slow, good = (
        subscribers.join(lambda: disconnected.append("slow")),
        subscribers.join(lambda: disconnected.append("good")),
    )
    received = []
    for frame in range(MAX_QUEUED + 10):
        subscribers.publish(event(frame))
        received.append(good.queue.get_nowait())
    assert disconnected == ["slow"]
    assert len(received) == MAX_QUEUED + 10
    assert slow.queue.qsize() == MAX_QUEUED + 1
    subscribers.leave(slow)
    subscribers.leave(good)
    subscribers.publish(event(0))
    assert good.queue.empty()


async def test_closing_ends_every_stream() -> None:
    subscribers = Subscribers()
    subscriber = subscribers.join(lambda: None)
    subscribers.close()
    late = subscribers.join(lambda: None)
    assert (subscriber.queue.get_nowait(), late.queue.get_nowait()) == (None, None)
    assert len(subscribers) == 0


def test_an_event_is_two_lines_and_a_blank_line() -> None:
    text = encode_event("track", {"title": "a\nb", "frame": 3}).decode()
    kind, data, *rest = text.split("\n")
    assert (kind, rest) == ("event: track", ["", ""])
    assert json.loads(data.removeprefix("data: ")) == {"title": "a\nb", "frame": 3}


def test_clients_of_a_stream_receive_its_first_frame() -> None:
    subscribers = Subscribers()
    mine, other, none = (subscribers.join(lambda: None, sid=sid) for sid in ("mine", "other", None))
    subscribers.record_stream_start("mine", 480, 960)
    assert mine.queue.get_nowait() == b'event: stream\ndata: {"sid":"mine","first":480,"live":960}\n\n'
    assert other.queue.empty()
    assert none.queue.empty()
    assert (subscribers.first_frame("mine"), subscribers.first_frame("other")) == (480, None)


def test_old_first_frames_are_forgotten() -> None:
    subscribers = Subscribers()
    for number in range(MAX_STREAMS + 10):
        subscribers.record_stream_start("again", 0, 0)
        subscribers.record_stream_start(str(number), number, number)
    assert subscribers.first_frame("again") == 0
    assert subscribers.first_frame("9") is None
    assert subscribers.first_frame(str(MAX_STREAMS + 9)) == MAX_STREAMS + 9
