"""A real station whose reserve is replaced repeatedly: its reports match the audio on the air."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest

from radio.server.broadcast.channel import Channel
from radio.settings.station import StationSettings
from radio.station.replay import replay
from radio.types import SAMPLE_RATE, Block, Frames, JsonValue, Packet
from radio.worker.supervisor import WORKER_COMMAND
from tests.server.on_air import on_air, until
from tests.station import test_station

small = test_station.settings


@contextlib.asynccontextmanager
async def recorded(channel: Channel) -> AsyncIterator[list[Packet]]:
    """Record the PCM packets."""
    packets: list[Packet] = []

    async def record() -> None:
        async with channel.tap("pcm", history=30) as tap:
            async for packet in tap:
                packets.append(packet)  # noqa: PERF401 — read while it grows

    task = asyncio.create_task(record())
    try:
        yield packets
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def sound_of(packets: list[Packet], start: Frames, end: Frames) -> Block:
    """Return the recorded sound from `start` to `end`. The recording must have no gaps."""
    first = packets[0].frame
    assert [packet.frame for packet in packets] == list(range(first, packets[-1].frame + 1, 960))
    samples = np.frombuffer(b"".join(packet.data for packet in packets), "<i2").reshape(-1, 2)
    return (samples[start - first : end - first] / np.float32(32_768)).astype(np.float32)


async def play_on(channel: Channel, seconds: float) -> None:
    frame = channel.edge.live + round(seconds * SAMPLE_RATE)
    await until(lambda: channel.edge.live >= frame)


def check_replay(channel: Channel, packets: list[Packet], end: Frames) -> None:
    """Compare the audio on the air with its replay from the notes, the bars and the recorded changes."""
    start, passages = channel.journal.passages(channel.runs, end, 300)
    replayed = np.concatenate([blocks["mix"] for passage in passages for blocks in replay(passage)])
    begin = max(start, packets[0].frame)
    aired = sound_of(packets, begin, end)
    residual = np.abs(replayed[begin - start :][: len(aired)] - aired).max(axis=1)
    assert len(aired) > 10 * SAMPLE_RATE
    assert np.median(residual) < 2**-15
    # FluidSynth ramps the first 64 frames of a note from the level of the voice that it reuses.
    assert 10 * np.log10(np.mean(residual**2) + 1e-15) < -70


@pytest.mark.slow
async def test_the_history_of_changes_matches_the_audio_even_if_the_worker_is_killed(
    small: StationSettings,
) -> None:
    async with on_air(replace(small, seed=5), worker=WORKER_COMMAND) as radio:
        channel = radio.channels["chill"]
        async with recorded(channel) as packets:
            await until(lambda: channel.edge.live > 10 * SAMPLE_RATE and channel.edge.reserve > 6)
            landings = await channel.change_controls({"drums_level": -9.0, "tempo": 90.0})
            await until(lambda: channel.edge.reserve > 12)  # with less, a stand-in may play in between
            victim = channel.pid
            assert victim is not None
            os.kill(victim, signal.SIGKILL)
            await until(lambda: channel.pid not in {None, victim} and channel.edge.reserve > 3)
            await play_on(channel, 3)
            await channel.change_controls({"keys_mute": True}, [{"tempo": 95.0}, {"tempo": 100.0}])
            await play_on(channel, 3)
            await channel.change_controls({"keys_mute": False, "energy": 0.9})
            await play_on(channel, 6)
            end = channel.edge.live
            await play_on(channel, 1)
        assert 1 <= channel.rewinds <= 3  # a station that is barely ahead is changed without a rewind
        assert channel.restarts == 1
        tempos = {bar.frame: bar.tempo for bar in channel.journal.bars}
        check_replay(channel, packets, end)
    assert tempos[landings["tempo"].frame] == 90
    assert [tempo for frame, tempo in tempos.items() if frame > landings["tempo"].frame][-1] == 100


@pytest.mark.slow
async def test_the_last_values_sound_after_changes_in_quick_succession(small: StationSettings) -> None:
    draw = random.Random(3)
    async with on_air(replace(small, seed=5), worker=WORKER_COMMAND) as radio:
        channel = radio.channels["chill"]
        async with recorded(channel) as packets:
            await until(lambda: channel.edge.live > 10 * SAMPLE_RATE and channel.edge.reserve > 6)
            wishes: dict[str, JsonValue] = {}
            tasks = []
            for _ in range(50):
                patch: dict[str, JsonValue] = draw.choice(
                    [
                        {"drums_level": draw.randint(-12, 3)},
                        {"keys_mute": draw.random() < 0.5},
                        {"tempo": draw.randint(60, 100)},
                        {"lowpass": draw.randint(1_000, 16_000)},
                    ]
                )
                wishes |= patch
                tasks.append(asyncio.create_task(channel.change_controls(patch)))
                await asyncio.sleep(draw.expovariate(10))
            answers = await asyncio.gather(*tasks)
            await play_on(channel, 8)
            end = channel.edge.live
            await play_on(channel, 1)
        assert 1 <= channel.rewinds < 40
        frames = [landing.frame for answer in answers for landing in answer.values()]
        assert max(frames) < end
        values = channel.controls.as_json()
        assert {name: values[name] for name in wishes} == wishes
        assert channel.journal.bars[-1].tempo == wishes["tempo"]
        check_replay(channel, packets, end)


async def test_new_settings_are_heard_soon_even_if_the_reserve_is_full() -> None:
    """A reload discards most of the reserve, and the stream continues without a gap."""
    async with on_air() as radio, recorded(radio.tone) as packets:
        channel = radio.tone
        await until(lambda: channel.edge.reserve > 10)
        await channel.reconfigure(replace(channel.settings, drum_kit=8))
        await until(lambda: len(channel.runs) == 2)
        place = channel.runs[-1].begins
        assert place <= channel.edge.live + 6 * SAMPLE_RATE
        await until(lambda: channel.edge.live >= place + SAMPLE_RATE)
        assert channel.runs[-1].settings.drum_kit == 8
        assert channel.now_playing.tracks[-1].frame <= channel.edge.live
        sound = sound_of(packets, place - SAMPLE_RATE // 2, place + SAMPLE_RATE // 2)
        assert np.abs(sound).max(axis=1).reshape(-1, 480).max(axis=1).min() > 0.1  # the tone does not stop
