"""The same piece continues after a worker is killed or stopped and after the server restarts."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from radio.compose.listening.reading import prime_of
from radio.compose.prime import as_json
from radio.music.midi_parts import PartChoice
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channel_set import ChannelSet
from radio.server.broadcast.state_folder import StateFolder
from radio.settings.controls import Controls
from radio.settings.station import StationSettings
from radio.station.factory import open_station
from radio.station.resume import PREROLL
from radio.types import SAMPLE_RATE, Action, Frames
from radio.worker.supervisor import WORKER_COMMAND
from tests.compose.listening.songs import song
from tests.server.on_air import OnAir, on_air, raw, until
from tests.server.routes.test_stations import get, patch
from tests.server.tone_worker import BAR, settings
from tests.station import test_station

small = test_station.settings


async def kill_worker(channel: Channel, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to the worker and return once another one has replaced it."""
    victim = channel.pid
    assert victim is not None
    os.kill(victim, number)
    await until(lambda: channel.pid not in {None, victim} and channel.edge.reserve > 1)


def aired(channel: Channel) -> tuple[list[tuple[int, ...]], list[Frames]]:
    """Return the notes and bar lines that were on the air, on the station's own clock.

    A bar that was replayed after an interruption counts once.
    """
    assert len({run.settings.seed for run in channel.runs}) == 1

    def own(frame: Frames) -> Frames:
        return frame - next(run.origin for run in reversed(channel.runs) if run.begins <= frame)

    notes = [(own(note.frame), note.note, note.velocity, note.tick) for note in channel.journal.notes]
    return list(dict.fromkeys(notes)), list(dict.fromkeys(own(bar.frame) for bar in channel.journal.bars))


async def test_bars_continue_whenever_the_worker_is_killed_and_changes_are_kept() -> None:
    async with on_air() as radio:
        for number, seconds in enumerate((1, 4, 7)):
            await until(lambda seconds=seconds: radio.tone.edge.live > seconds * SAMPLE_RATE)  # type: ignore[misc]
            assert (await patch(radio, f'{{"tempo": {71 + number}}}'))[0] == 200
            await kill_worker(radio.tone)
        live = radio.tone.edge.live
        await until(lambda: radio.tone.edge.live > live + 4 * SAMPLE_RATE)
        _, bars = aired(radio.tone)
        assert bars == [BAR * number for number in range(len(bars))]
        assert radio.tone.controls.tempo == 73
        assert radio.tone.restarts == 3


async def test_a_stopped_worker_is_replaced_before_the_reserve_runs_out() -> None:
    async with on_air() as radio:
        await until(lambda: radio.tone.edge.reserve > 12)
        late = radio.tone.edge.total_delay
        stopped = radio.tone.pid
        await kill_worker(radio.tone, signal.SIGSTOP)
        assert stopped is not None
        with pytest.raises(ProcessLookupError):
            os.kill(stopped, 0)
        _, bars = aired(radio.tone)
        assert bars == [BAR * number for number in range(len(bars))]
        assert radio.tone.edge.total_delay == late  # nothing was late for listeners without a burst


async def play_until(radio: OnAir, frame: Frames) -> None:
    await until(lambda: radio.tone.edge.live > frame)


async def test_a_restarted_server_resumes_the_piece_its_controls_and_its_history(tmp_path: Path) -> None:
    states = StateFolder(tmp_path)
    async with on_air(settings(seed=5), states=states) as radio:
        assert (await patch(radio, '{"tempo": 71}'))[0] == 200
        await play_until(radio, 10 * SAMPLE_RATE)
    end = radio.tone.edge.live
    async with on_air(settings(seed=5, controls=Controls(rain_mute=False)), states=states) as radio:
        assert end <= radio.tone.edge.live < end + 7 * SAMPLE_RATE
        assert (radio.tone.controls.tempo, radio.tone.controls.rain_mute) == (71, False)  # changed by the config
        assert [dict(change.controls) for change in radio.tone.runs[-1].changes] == [
            {"tempo": 71},
            {"rain_mute": False},
        ]
        assert not radio.tone.postponed
        _, history = await get(radio, "/api/stations/tone/history")
        assert [track["title"] for track in history["tracks"]] == ["Tone 2 of seed 5", "Tone 1 of seed 5"]
        await play_until(radio, 17 * SAMPLE_RATE)
        _, bars = aired(radio.tone)
        first = bars[0] // BAR  # the snapshot's, which is older than the last state
        assert bars == [BAR * number for number in range(first, first + len(bars))]
        assert bars[0] < end < bars[-1]
        tracks = [track.title for track in radio.tone.now_playing.tracks]
        assert tracks == ["Tone 1 of seed 5", "Tone 2 of seed 5", "Tone 3 of seed 5"]
    async with on_air(settings(seed=6), states=states) as radio:
        assert [track.title for track in radio.tone.now_playing.tracks] in ([], ["Tone 1 of seed 6"])


async def test_a_stopping_server_sends_some_seconds_ahead_and_the_next_one_resumes_there(
    tmp_path: Path,
) -> None:
    states = StateFolder(tmp_path)
    async with on_air(settings(seed=5), states=states) as radio:
        channel, mount = radio.tone, radio.tone.mount("opus")
        reading = asyncio.create_task(raw(radio, "GET /tone.opus?burst=0 HTTP/1.0\r\n\r\n"))
        await until(lambda: mount.relay.listeners == 1 and (mount.end or 0) > channel.edge.live + 9 * SAMPLE_RATE)
        live = channel.edge.live
        await ChannelSet({"tone": channel.settings}, lambda _: channel).drain(0.3)
        _, body = await reading
        end = int.from_bytes(body[body.rindex(b"OggS") + 6 :][:8], "little")  # of the audio, on the channel's clock
        assert live + 6 * SAMPLE_RATE < end <= channel.edge.live
    async with on_air(settings(seed=5), states=states) as radio:
        assert end <= radio.tone.edge.live < end + 5 * SAMPLE_RATE


async def test_a_damaged_state_is_set_aside_and_a_new_piece_begins(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    states = StateFolder(tmp_path)
    async with on_air(states=states) as radio:
        await play_until(radio, SAMPLE_RATE)
    file = tmp_path / "tone.state"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    async with on_air(states=states) as radio:
        assert radio.tone.edge.live < SAMPLE_RATE
    assert "checksum" in caplog.text
    assert (tmp_path / "tone.unusable").read_bytes() == data
    lines = [record for record in caplog.records if record.name == "radio.state"]
    assert len(lines) == 1


async def test_a_station_without_a_seed_draws_a_new_one_unless_it_resumes(tmp_path: Path) -> None:
    seeds = []
    for states in (None, None, StateFolder(tmp_path), StateFolder(tmp_path)):
        async with on_air(settings(seed=0), states=states) as radio:
            await play_until(radio, SAMPLE_RATE // 2)
            seeds.append(radio.tone.runs[-1].settings.seed)
    first, second, saved, resumed = seeds
    assert len({0, first, second, saved}) == 4
    assert resumed == saved


def undisturbed(station_settings: StationSettings, end: Frames) -> tuple[list[tuple[int, ...]], list[Frames]]:
    """Return the notes and bar lines that an undisturbed station plays before frame `end`."""
    station = open_station(station_settings)
    try:
        for _ in range(0, end + SAMPLE_RATE, SAMPLE_RATE):
            station.render(SAMPLE_RATE)
        events = [event for event in station.events() if event.frame < end]
    finally:
        station.close()
    notes = [
        (event.frame, event.data["note"], event.data["velocity"], event.data["tick"])
        for event in events
        if event.kind == "note"
    ]
    return notes, [event.frame for event in events if event.kind == "bar"]


@pytest.mark.slow
async def test_a_station_with_killed_workers_plays_the_notes_of_an_undisturbed_one(small: StationSettings) -> None:
    """The worker of a real station is killed three times, before and after its first snapshot."""
    station_settings = replace(small, seed=5)
    async with on_air(station_settings, worker=WORKER_COMMAND) as radio:
        channel = radio.channels["chill"]
        for seconds in (2, 9, 25):
            await until(lambda seconds=seconds: channel.edge.live > seconds * SAMPLE_RATE)  # type: ignore[misc]
            await kill_worker(channel)
        live = channel.edge.live
        await until(lambda: channel.edge.live > live + PREROLL, 120)
        notes, bars = aired(channel)
        end = channel.edge.live
    expected, lines = undisturbed(station_settings, end)
    assert notes[: len(expected)] == expected[: len(notes)]
    assert len(notes) > 50
    assert bars == lines[: len(bars)]


async def play(channel: Channel, frames: Frames) -> None:
    end = channel.edge.live + frames
    await until(lambda: channel.edge.live > end, 120)


@pytest.mark.slow
async def test_three_servers_in_turn_play_the_notes_of_an_undisturbed_station(
    small: StationSettings, tmp_path: Path
) -> None:
    """The server of a real station is stopped and started twice. Replayed notes are the same, too."""
    station_settings, states = replace(small, seed=5), StateFolder(tmp_path)
    notes: dict[tuple[int, ...], None] = {}
    bars: dict[Frames, None] = {}
    end = 0
    for _ in range(3):
        async with on_air(station_settings, worker=WORKER_COMMAND, states=states) as radio:
            channel = radio.channels["chill"]
            assert channel.edge.live >= end
            await play(channel, 11 * SAMPLE_RATE)
        end = channel.edge.live
        more_notes, more_bars = aired(channel)
        notes |= dict.fromkeys(more_notes)
        bars |= dict.fromkeys(more_bars)
    expected, lines = undisturbed(station_settings, end)
    assert list(notes) == expected[: len(notes)]
    assert len(notes) >= len(expected) - 10  # the last few before the end have not aired
    assert list(bars) == lines[: len(bars)]


@pytest.mark.slow
async def test_a_prime_survives_if_the_worker_is_killed_before_its_next_snapshot(
    small: StationSettings, tmp_path: Path
) -> None:
    prime = prime_of(song(tmp_path / "song.mid", tempo=101), "song", PartChoice())
    async with on_air(replace(small, seed=5), worker=WORKER_COMMAND) as radio:
        channel = radio.channels["chill"]
        await until(lambda: channel.edge.live > 2 * SAMPLE_RATE)
        own = channel.now_playing.tracks[-1].event
        await channel.prime_station(as_json(prime))
        await kill_worker(channel)  # the next one knows the prime only from the log
        await channel.act(Action("skip"))
        await until(lambda: channel.now_playing.tracks[-1].event.number > own.number, 60)
        track = channel.now_playing.tracks[-1].event
        assert own.tempo != 101
        assert (track.tempo, track.key) == (101, "C")
        assert channel.restarts == 1
        assert len([change for change in channel.runs[0].changes if change.prime]) == 1
