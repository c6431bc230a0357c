from __future__ import annotations

import json

from radio.server.events import WAITING, Fans, encoded
from radio.types import StationEvent


def event(frame: int) -> StationEvent:
    return StationEvent(frame, "bar", {"number": frame, "chord": "Dm7"})


async def test_a_client_that_does_not_read_is_cut_off_and_the_others_miss_nothing() -> None:
    fans, cut = Fans(), []
    slow, good = fans.join(lambda: cut.append("slow")), fans.join(lambda: cut.append("good"))
    heard = []
    for frame in range(WAITING + 10):
        fans.tell(event(frame))
        heard.append(good.queue.get_nowait())
    assert cut == ["slow"]
    assert len(heard) == WAITING + 10
    assert slow.queue.qsize() == WAITING + 1
    fans.leave(slow)
    fans.leave(good)
    fans.tell(event(0))
    assert good.queue.empty()


async def test_closing_ends_every_stream() -> None:
    fans = Fans()
    fan = fans.join(lambda: None)
    fans.close()
    assert fan.queue.get_nowait() is None


def test_an_event_is_two_lines_and_a_blank_one() -> None:
    text = encoded("track", {"title": "a\nb", "frame": 3}).decode()
    kind, data, *rest = text.split("\n")
    assert (kind, rest) == ("event: track", ["", ""])
    assert json.loads(data.removeprefix("data: ")) == {"title": "a\nb", "frame": 3}
