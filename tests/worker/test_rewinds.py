"""A worker that has rendered ahead rewinds when its station is changed."""

from __future__ import annotations

import pytest

from radio.types import SAMPLE_RATE, Frames, StationEvent
from radio.worker import main
from radio.worker.main import URGENT
from radio.worker.pcm_ring import RESERVE
from radio.worker.rewinder import BACKOFF, REACH, REST, SPACING, STEP
from radio.worker.wire import (
    ChangeControls,
    ControlsLanded,
    Cut,
    Encoded,
    Message,
    OpenFormat,
    PerformAction,
    Render,
    Rendered,
    Rewound,
    Snapshot,
)
from tests.server.tone_worker import BAR, TRACK
from tests.worker.test_main import WorkerConnection, open_station, running

FIXED: Frames = 3 * SAMPLE_RATE + 777
END: Frames = round(RESERVE) * SAMPLE_RATE
MUTE = {"keys_mute": True}


def until(worker: WorkerConnection, kind: type[Message]) -> list[Message]:
    """Return the messages up to the first of a kind."""
    messages = [worker.receive()]
    while not isinstance(messages[-1], kind):
        messages.append(worker.receive())
    return messages


def render_ahead(worker: WorkerConnection) -> None:
    open_station(worker)
    worker.send(OpenFormat("pcm", 0), Render(END, FIXED))
    worker.packets_until("pcm", END - 2_000)
    worker.until_silence()


def test_a_change_takes_effect_at_the_first_frame_that_is_not_fixed() -> None:
    with running() as (worker, raised):
        render_ahead(worker)
        worker.send(ChangeControls(1, MUTE))
        assert worker.until_silence() == [Rewound(FIXED)]
        worker.send(Cut(FIXED, done=True), Render(END, FIXED))
        messages = worker.until(END)
    assert raised == []
    assert messages[0] == ControlsLanded(1, messages[0].landings, FIXED)  # type: ignore[union-attr]
    events = [message for message in messages if isinstance(message, StationEvent)]
    assert [event.frame for event in events if event.kind == "control"] == [FIXED]
    assert [event.frame for event in events if event.kind == "bar"] == list(range(4 * BAR, END + 1, BAR))
    snapshots = [message.frame for message in messages if isinstance(message, Snapshot) and message.frame >= FIXED]
    assert snapshots == list(range(4 * BAR, END + 1, BAR))
    packets = [message.packet for message in messages if isinstance(message, Encoded)]
    assert packets[0].frame == FIXED // 960 * 960
    assert [packet.frame for packet in packets] == list(range(packets[0].frame, packets[-1].frame + 1, 960))
    sound = b"".join(packet.data for packet in packets)
    silent_from = 4 * (FIXED - packets[0].frame)
    assert any(sound[silent_from - 64 : silent_from])
    assert not any(sound[silent_from:])


def test_a_rewind_moves_forward_if_the_live_edge_came_too_close() -> None:
    with running() as (worker, raised):
        render_ahead(worker)
        worker.send(PerformAction(1, "skip", None))
        assert worker.receive() == Rewound(FIXED)
        worker.send(Cut(FIXED + 5_000, done=False), Render(END, FIXED + 5_000))
        later = FIXED + 5_000 + BACKOFF
        assert worker.until_silence() == [Rewound(later)]
        worker.send(Cut(later, done=True), Render(END, later))
        messages = worker.until(END)
        assert isinstance(messages[0], ControlsLanded)
        assert messages[0].mixed == later
        tracks = [
            message.frame for message in messages if isinstance(message, StationEvent) and message.kind == "track"
        ]
        assert tracks == list(range(4 * BAR, END + 1, TRACK))  # it is skipped once
    assert raised == []


def test_each_refused_rewind_is_followed_by_one_further_ahead_until_the_end_of_the_audio() -> None:
    with running() as (worker, raised):
        render_ahead(worker)
        worker.send(ChangeControls(1, MUTE))
        assert worker.receive() == Rewound(FIXED)
        distance = BACKOFF
        while FIXED + distance < END:
            worker.send(Cut(FIXED, done=False))
            assert worker.receive() == Rewound(FIXED + distance)
            distance *= 2
        worker.send(Cut(FIXED, done=False))
        assert worker.receive() == Rewound(END)
    assert raised == []


def test_a_rewind_moves_forward_to_the_end_of_the_audio_at_most() -> None:
    with running() as (worker, raised):
        render_ahead(worker)
        worker.send(ChangeControls(1, MUTE))
        assert worker.receive() == Rewound(FIXED)
        worker.send(Cut(END + SAMPLE_RATE, done=False), Render(END, END + SAMPLE_RATE))
        assert worker.until_silence() == [Rewound(END)]
        worker.send(Cut(END, done=True), Render(END + SAMPLE_RATE, END))
        packets = worker.packets_until("pcm", END + SAMPLE_RATE - 2_000)
        assert packets[0].frame == END
    assert raised == []


def test_changes_in_quick_succession_are_made_together_and_the_last_value_wins() -> None:
    with running() as (worker, raised):
        render_ahead(worker)
        worker.send(*(ChangeControls(number, {"tempo": 70.0 + number}) for number in range(1, 12)))
        assert worker.receive() == Rewound(FIXED)
        worker.send(ChangeControls(12, {"tempo": 90.0}))
        assert worker.until_silence() == []
        worker.send(Cut(FIXED, done=True), Render(FIXED + BAR, FIXED))
        messages = worker.until(FIXED + BAR)
        answers = [message for message in messages if isinstance(message, ControlsLanded)]
        assert [answer.number for answer in answers] == list(range(1, 12))
        events = [message for message in messages if isinstance(message, StationEvent) and message.kind == "control"]
        assert events[-1].data["tempo"] == 81.0

        # The later change waits for a moment, and then rewinds no further than to these.
        worker.send(Render(END, FIXED))
        worker.until(END)
        assert worker.until_silence() == []
        worker.send(Render(END, FIXED + REST))
        assert until(worker, Rewound)[-1] == Rewound(FIXED + REST)
        worker.send(Cut(FIXED + REST, done=True))
        assert isinstance(landed := worker.receive(), ControlsLanded)
        assert (landed.number, landed.mixed) == (12, FIXED + REST)
    assert raised == []


def test_a_station_that_is_barely_ahead_is_changed_without_a_rewind() -> None:
    with running() as (worker, raised):
        open_station(worker)
        worker.send(Render(FIXED + REACH // 2, FIXED))
        worker.until(FIXED + REACH // 2)
        worker.send(ChangeControls(1, MUTE))
        assert isinstance(landed := worker.receive(), ControlsLanded)
        assert FIXED + REACH // 2 <= landed.mixed <= FIXED + REACH
    assert raised == []


def test_a_change_waits_for_audio_in_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes in quick succession would otherwise use up the reserve of a busy machine."""
    monkeypatch.setattr(main, "PATIENCE", 600.0)
    with running() as (worker, raised):
        open_station(worker)
        worker.send(Render(END, FIXED), ChangeControls(1, MUTE))
        messages = until(worker, Rewound)
    assert raised == []
    rendered = [message.frame for message in messages if isinstance(message, Rendered)]
    assert FIXED + URGENT <= rendered[-1] < FIXED + URGENT + 2 * STEP
    assert messages[-1] == Rewound(FIXED)


def test_a_change_waits_no_longer_than_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "PATIENCE", 0.0)
    with running() as (worker, raised):
        open_station(worker)
        worker.send(Render(END, FIXED), ChangeControls(1, MUTE))
        landed = until(worker, ControlsLanded)[-1]
    assert raised == []
    assert isinstance(landed, ControlsLanded)
    assert landed.mixed < FIXED


def test_a_format_opened_during_a_rewind_gets_the_past_audio() -> None:
    with running() as (worker, raised):
        render_ahead(worker)
        worker.send(ChangeControls(1, MUTE), OpenFormat("opus", 0))
        before = until(worker, Rewound)
        worker.send(Cut(FIXED, done=True), Render(END, FIXED))
        messages = [*before, *worker.packets_until("opus", END - 6_000)]
    frames: list[int] = []
    for message in messages:
        packet = message.packet if isinstance(message, Encoded) else message
        if isinstance(message, Rewound):
            frames = [frame for frame in frames if frame + 960 <= FIXED]
        elif not isinstance(message, (Rendered, StationEvent, Snapshot, ControlsLanded)):
            frames.append(packet.frame)  # type: ignore[union-attr]
    assert frames == list(range(0, frames[-1] + 1, 960))
    assert SPACING < FIXED
    assert raised == []
