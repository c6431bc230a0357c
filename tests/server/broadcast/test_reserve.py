from __future__ import annotations

import numpy as np
import pytest

from radio.server.broadcast.reserve import ARRIVAL, FILLING, FIRST, LASTING, LOW, Lead, ReserveWatch, render_until
from radio.stream.relay.relay import ADVANCE_INTERVAL
from radio.types import SAMPLE_RATE, Frames, Packet
from radio.worker.pcm_ring import HISTORY, RESERVE
from tests.server.on_air import OnAir, on_air, until
from tests.server.routes.test_stations import patch
from tests.stream.audience import Clock


def test_the_reserve_starts_with_a_jump_and_then_fills_gradually() -> None:
    live, end = 0, 0
    seconds: list[float] = []
    for _ in range(400):
        live += round(ADVANCE_INTERVAL * SAMPLE_RATE)
        end = max(end, render_until(live, end))
        seconds.append((end - live) / SAMPLE_RATE)
    assert seconds[0] == FIRST
    speeds = np.diff(seconds) / ADVANCE_INTERVAL + 1
    assert speeds.max() == pytest.approx(FILLING, abs=0.1)
    assert seconds[-1] == RESERVE


def test_the_lead_exceeds_the_time_that_workers_take() -> None:
    lead = Lead()
    least = lead.seconds
    for took in (0.3, 0.1, 1.2, 5.0):
        before = lead.seconds
        lead.observe(before - took)
        assert lead.seconds == pytest.approx(max(1.25 * took + ARRIVAL, 0.8 * before, least))
        assert took + ARRIVAL <= lead.seconds
    for _ in range(50):
        lead.observe(lead.seconds - 0.05)
    assert lead.seconds == least
    lead.observe(-60)
    assert lead.seconds < RESERVE / 2  # a later change still replaces most of the reserve


def test_the_lead_includes_the_time_in_which_new_audio_arrives() -> None:
    lead = Lead()
    lead.cut(10.0)
    lead.arrive(10.4)
    lead.arrive(15.0)  # only the first audio after a cut counts
    assert lead.arrival == pytest.approx(1.25 * 0.4)
    lead.observe(lead.seconds - 0.2)
    assert lead.seconds == pytest.approx(1.25 * 0.2 + lead.arrival)
    for number in range(50):
        lead.cut(20.0 + number)
        lead.arrive(20.01 + number)
    assert lead.arrival == ARRIVAL
    lead.cut(100.0)
    lead.arrive(160.0)  # the worker died, or the machine slept
    assert lead.arrival < 3


def test_a_low_reserve_is_reported_once_if_it_lasts() -> None:
    clock = Clock()
    watch = ReserveWatch(clock)

    def changes(reserve: float, seconds: float) -> list[bool]:
        """Return the states that are reported within `seconds`."""
        reported = []
        for _ in range(round(seconds / ADVANCE_INTERVAL)):
            clock.seconds += ADVANCE_INTERVAL
            if watch.changed(reserve):
                reported.append(watch.low)
        return reported

    assert changes(LOW - 1, LASTING - 1) == []
    assert changes(LOW, 1) == []
    assert changes(LOW - 1, LASTING - 1) == []
    assert changes(LOW - 1, 60) == [True]
    assert changes(LOW + 1, 60) == []
    assert changes(RESERVE, 60) == [False]
    assert changes(RESERVE, 60) == []


async def recorded(radio: OnAir, until_frame: Frames) -> list[Packet]:
    """Return the PCM packets up to a frame."""
    async with radio.tone.tap("pcm", history=HISTORY) as tap:
        packets = []
        async for packet in tap:
            if packet.frame >= until_frame:
                break
            packets.append(packet)
    return packets


def samples(packets: list[Packet]) -> tuple[Frames, np.ndarray[tuple[int, int], np.dtype[np.int16]]]:
    """Return the first frame and the samples of consecutive packets."""
    first = packets[0].frame
    assert [packet.frame for packet in packets] == list(range(first, packets[-1].frame + 1, 960))
    return first, np.frombuffer(b"".join(packet.data for packet in packets), "<i2").reshape(-1, 2)


async def test_a_change_is_heard_at_the_frame_it_returned_soon_after_the_live_edge() -> None:
    async with on_air() as radio:
        tone = radio.tone
        await until(lambda: tone.edge.reserve > 6)
        landed: list[Frames] = []
        for muted in ("true", "false"):
            before = tone.edge.live
            status, answer = await patch(radio, f'{{"keys_mute": {muted}}}')
            assert status == 200
            landing = answer["controls"]["keys_mute"]["frame"]
            assert before < landing < tone.edge.live + 2 * SAMPLE_RATE  # not after the whole reserve
            landed.append(landing)
            await until(lambda: tone.edge.reserve > 6)
        packets = await recorded(radio, landed[-1] + SAMPLE_RATE)
        assert tone.rewinds == 2
    first, sound = samples(packets)
    muted, on = (frame - first for frame in landed)
    assert not sound[muted:on].any()
    assert all(part.any(axis=1).mean() > 0.99 for part in (sound[:muted], sound[on:]))
