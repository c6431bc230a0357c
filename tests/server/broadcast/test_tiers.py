"""A station that cannot play its music repeats its last bars, then plays textures, and resumes when it can."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radio.errors import ServerError
from radio.paths import SOUNDFONT
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.state_folder import StateFolder
from radio.server.broadcast.tiers import Tiers
from radio.server.broadcast.worker_runs import WorkerRun
from radio.settings.controls import LAYERS
from radio.settings.station import StationSettings
from radio.types import SAMPLE_RATE, Block, Frames
from radio.worker.supervisor import WORKER_COMMAND
from tests.server.broadcast.test_resume import aired
from tests.server.on_air import OnAir, on_air, until
from tests.server.routes.test_stations import get, patch
from tests.server.tone_worker import BAR, SILENT_AT, settings
from tests.station import test_station

small = test_station.settings


def test_tiers_are_timed_by_the_live_edge() -> None:
    tiers = Tiers()
    tiers.plan(10 * SAMPLE_RATE, "repeat")
    tiers.plan(190 * SAMPLE_RATE, "texture")
    assert not tiers.advance(9 * SAMPLE_RATE)
    assert tiers.advance(12 * SAMPLE_RATE)
    assert tiers.current == "repeat"
    assert tiers.advance(200 * SAMPLE_RATE)
    tiers.plan(201 * SAMPLE_RATE, "music")
    assert tiers.advance(205 * SAMPLE_RATE)
    assert tiers.seconds == {"music": 14, "repeat": 180, "texture": 11}


def test_a_new_plan_replaces_later_ones() -> None:
    tiers = Tiers()
    tiers.plan(10, "repeat")
    tiers.plan(20, "texture")
    tiers.plan(10, "music")
    assert not tiers.advance(100)
    assert tiers.current == "music"


class Recorder:
    """Records the samples of a station as the live edge reaches them."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._parts: list[tuple[Frames, Block]] = []
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with self._channel.tap("pcm") as tap:
            async for packet in tap:
                samples = np.frombuffer(packet.data, "<i2").reshape(-1, 2).astype(np.float32) / 32_768
                self._parts.append((packet.frame, samples))

    async def sound(self) -> tuple[Frames, Block]:
        """Stop, and return the first frame and the samples, which must have no gap."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        frames = [frame for frame, _ in self._parts]
        lengths = [len(block) for _, block in self._parts]
        assert np.array_equal(np.diff(frames), lengths[:-1])
        return frames[0], np.concatenate([block for _, block in self._parts])


def level(block: Block) -> float:
    return float(10 * np.log10((block**2).mean() + 1e-12))


def tonal(block: Block) -> float:
    """Return the 440 Hz tone's share of the left channel's power."""
    left = block[:, 0]
    times = np.arange(len(left)) / SAMPLE_RATE
    at = abs(np.exp(-2j * np.pi * 440 * times) @ left) ** 2 * 2 / len(left)
    return float(at / (left @ left + 1e-12))


async def end_worker(radio: OnAir) -> None:
    pid = radio.tone.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: radio.tone.pid != pid)


async def change_while_a_stand_in_plays(radio: OnAir) -> None:
    """Change controls of the music and of the mix while a stand-in plays."""
    status, answer = await patch(radio, '{"tempo": 90, "rain_mute": false}')
    waits = {"bar": None, "frame": None}
    assert (status, answer["controls"]) == (
        200,
        {"tempo": {"value": 90, **waits}, "rain_mute": {"value": False, **waits}},
    )
    status, answer = await patch(radio, '{"tempo": 71}')
    assert (status, answer["controls"]) == (200, {"tempo": {"value": 71, **waits}})
    assert (await patch(radio, '{"tempo": 400}'))[0] == 422
    async with radio.http.post(f"{radio.root}/api/stations/tone/skip") as response:
        assert response.status == 503
        assert "cannot play its music" in (await response.json())["error"]["message"]
    _, answer = await get(radio, "/api/stations/tone")
    assert {name for name, control in answer["controls"].items() if control["pending"]} == {"tempo", "rain_mute"}
    assert answer["controls"]["tempo"]["value"] == 71


def assert_made_where_the_music_resumes(answer: dict[str, Any], run: WorkerRun) -> None:
    assert not any(control["pending"] for control in answer["controls"].values())
    own = run.begins - run.origin
    line = run.origin - -own // BAR * BAR  # the first bar line at or after its start
    made = {(name, value): change.frame for change in run.changes for name, value in change.controls.items()}
    assert made == {("tempo", 71): line, ("rain_mute", False): run.begins}


async def test_the_last_bars_are_repeated_until_the_station_opens_again(tmp_path: Path) -> None:
    needed = tmp_path / "font.sf2"
    needed.touch()
    async with on_air(settings(description=f"needs {needed}")) as radio:
        channel = radio.tone
        recorder = Recorder(channel)
        await until(lambda: channel.edge.live > 6 * SAMPLE_RATE)
        needed.unlink()
        await end_worker(radio)
        await until(lambda: channel.tiers.current == "repeat")
        live = channel.edge.live
        await until(lambda: channel.edge.live > live + 4 * SAMPLE_RATE)
        _, answer = await get(radio, "/api/stations/tone")
        assert (answer["tier"], answer["on_air"]) == ("repeat", True)
        await change_while_a_stand_in_plays(radio)
        needed.touch()
        await until(lambda: channel.tiers.current == "music")
        back = channel.edge.live
        await until(lambda: channel.edge.live > back + 3 * SAMPLE_RATE)
        _, answer = await get(radio, "/api/stations/tone")
        assert answer["tier"] == "music"
        _, sound = await recorder.sound()
        seconds = [
            sound[start : start + SAMPLE_RATE // 2] for start in range(0, len(sound) - SAMPLE_RATE, SAMPLE_RATE // 2)
        ]
        assert min(map(level, seconds)) > -20
        assert min(map(tonal, seconds)) > 0.8  # the repeat begins with a 20 ms crossfade, maybe of opposite phases
        assert len(channel.runs) == 2
        run = channel.runs[-1]
        assert run.settings.seed == channel.runs[0].settings.seed
        assert_made_where_the_music_resumes(answer, run)
        bars = [bar.frame - run.origin for bar in channel.journal.bars if bar.frame >= run.begins]
        before = [bar.frame - channel.runs[0].origin for bar in channel.journal.bars if bar.frame < run.begins]
        assert bars[0] in {before[-1], before[-1] + BAR}
        assert [bar // BAR for bar in bars] == list(range(bars[0] // BAR, bars[0] // BAR + len(bars)))


async def test_textures_are_heard_if_a_station_has_never_opened(tmp_path: Path) -> None:
    needed = tmp_path / "font.sf2"
    async with on_air(settings(description=f"needs {needed}"), start=False) as radio:
        channel = radio.tone
        with pytest.raises(ServerError, match="is missing"):
            await channel.start()
        recorder = Recorder(channel)
        await until(lambda: channel.edge.live > 4 * SAMPLE_RATE)
        assert channel.tiers.current == "texture"
        needed.touch()
        await until(lambda: channel.tiers.current == "music")
        begins = channel.runs[-1].begins
        await until(lambda: channel.edge.live > begins + 4 * SAMPLE_RATE)
        first, sound = await recorder.sound()
        texture, music = sound[SAMPLE_RATE : begins - first], sound[begins - first :]
        assert level(texture) > -40
        assert tonal(texture) < 0.1
        assert tonal(music) > 0.9


async def test_a_stand_in_that_has_stopped_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with on_air(settings(description=f"needs {tmp_path / 'font.sf2'}"), start=False) as radio:
        with pytest.raises(ServerError, match="is missing"):
            await radio.tone.start()
        stand_ins, edge = radio.tone._playout.stand_ins, radio.tone.edge
        await until(lambda: stand_ins.current is not None and stand_ins.current.ready)
        stopped = stand_ins.current
        assert stopped is not None
        assert stopped.pid is not None
        os.kill(stopped.pid, signal.SIGSTOP)
        monkeypatch.setattr("radio.server.broadcast.stall_watch.STALL_LIMIT", 0.3)
        monkeypatch.setattr("radio.server.broadcast.stand_ins.LOW_RESERVE", 60.0)
        await until(lambda: stand_ins.current not in {None, stopped})
        end = edge.end
        await until(lambda: edge.end > end + SAMPLE_RATE)
        assert radio.tone.tiers.current == "texture"


async def test_silence_is_replaced_before_it_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    async with on_air(settings(description="falls silent")) as radio:
        channel = radio.tone
        recorder = Recorder(channel)
        await until(lambda: channel.edge.live > SILENT_AT + 6 * SAMPLE_RATE)
        assert channel.faults == {"silent": 1}
        assert channel.tiers.current == "music"
        _, sound = await recorder.sound()
        assert min(level(sound[start : start + 9_600]) for start in range(0, len(sound) - 9_600, 9_600)) > -20
        _, bars = aired(channel)
        assert bars == [BAR * number for number in range(len(bars))]
    assert caplog.text.count("the signal is silent from frame") == 1
    assert "Traceback" not in caplog.text


async def test_a_muted_station_is_reported_as_muted(tmp_path: Path) -> None:
    async with on_air() as radio:
        muted = ", ".join(f'"{layer}_mute": true' for layer in LAYERS)
        assert (await patch(radio, f"{{{muted}}}"))[0] == 200
        _, answer = await get(radio, "/api/stations/tone")
        assert answer["health"]["muted"]
        async with radio.http.get(f"{radio.root}/metrics") as response:
            assert 'radio_muted{station="tone"} 1\n' in await response.text()
        assert radio.tone.faults == {}


@pytest.mark.slow
async def test_a_real_station_repeats_its_bars_and_then_resumes_its_piece(
    small: StationSettings, tmp_path: Path
) -> None:
    font = tmp_path / "own.sf2"
    shutil.copy(SOUNDFONT, font)
    async with on_air(replace(small, soundfont=font, seed=5), worker=WORKER_COMMAND) as radio:
        channel = radio.channels["chill"]
        recorder = Recorder(channel)
        await until(lambda: channel.edge.live > 25 * SAMPLE_RATE)
        away = font.rename(tmp_path / "away.sf2")
        channel._playout.worker.forget_files()
        pid = channel.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: channel.tiers.current == "repeat", 120)
        stand_in = channel._playout.stand_ins.current
        assert stand_in is not None
        loop = stand_in._fallback.loop
        assert loop is not None
        await until(lambda: channel.edge.live > stand_in.start + 2 * SAMPLE_RATE)
        away.rename(font)
        await until(lambda: channel.tiers.current == "music", 120)
        run = channel.runs[-1]
        await until(lambda: channel.edge.live > run.begins + 4 * SAMPLE_RATE)
        first, sound = await recorder.sound()
        end = min(run.begins, stand_in.start + loop.length)
        repeated = sound[stand_in.start + 2_000 - first : end - 2_000 - first]
        earlier = sound[stand_in.start + 2_000 - loop.length - first :][: len(repeated)]
        assert np.corrcoef(repeated.ravel(), earlier.ravel())[0, 1] > 0.99
        assert min(level(sound[start : start + SAMPLE_RATE]) for start in range(0, len(sound), SAMPLE_RATE)) > -45
        _, bars = aired(channel)
        assert np.diff(bars).max() <= 1.01 * np.diff(bars).min()
        steps = np.abs(np.diff(sound, axis=0)).max(axis=1)
        for joint in (stand_in.start - first, run.begins - first):
            assert steps[joint - 1_000 : joint + 1_000].max() < 0.5 * steps.max()


@pytest.mark.slow
async def test_a_restart_while_the_last_bars_are_repeated_keeps_the_piece_and_changes(tmp_path: Path) -> None:
    needed, states = tmp_path / "font.sf2", StateFolder(tmp_path / "states")
    needed.touch()
    station = settings(description=f"needs {needed}", seed=5)
    async with on_air(station, states=states) as radio:
        await until(lambda: radio.tone.edge.live > 6 * SAMPLE_RATE)
        needed.unlink()
        await end_worker(radio)
        await until(lambda: radio.tone.tiers.current == "repeat")
        await change_while_a_stand_in_plays(radio)
    before = [bar.frame - radio.tone.runs[-1].origin for bar in radio.tone.journal.bars]
    end = radio.tone.edge.live
    needed.touch()
    async with on_air(station, states=states) as radio:
        channel = radio.tone
        assert channel.edge.live >= end
        run = channel.runs[-1]
        await until(lambda: channel.edge.live > run.begins + 2 * SAMPLE_RATE)
        _, answer = await get(radio, "/api/stations/tone")
        assert answer["controls"]["tempo"]["value"] == 71
        assert_made_where_the_music_resumes(answer, run)
        assert run.begins - run.origin == before[-1]  # the bar in which the music stopped
        assert run.settings.seed == 5
        _, history = await get(radio, "/api/stations/tone/history")
        assert [track["title"] for track in history["tracks"]][-1] == "Tone 1 of seed 5"


async def test_a_piece_resumes_after_a_start_with_a_damaged_model(tmp_path: Path) -> None:
    needed, piano, states = tmp_path / "font.sf2", tmp_path / "piano.safetensors", StateFolder(tmp_path / "states")
    needed.touch()
    piano.write_bytes(b"a model")
    station = settings(description=f"needs {needed}", piano=piano, seed=5)
    async with on_air(station, states=states) as radio:
        await until(lambda: radio.tone.edge.live > 6 * SAMPLE_RATE)
    needed.unlink()
    piano.write_bytes(b"a mod")
    async with on_air(station, states=states, start=False) as radio:
        channel = radio.tone
        with pytest.raises(ServerError, match="is missing"):
            await channel.start()
        await until(lambda: channel.tiers.current == "texture")
        piano.write_bytes(b"a model")
        restarts = channel.restarts + 1
        await until(lambda: channel.restarts > restarts)  # the next worker reads the model as it is now
        needed.touch()
        await until(lambda: channel.tiers.current == "music" and channel.runs[-1].begins < channel.edge.live - BAR)
        assert {run.settings.seed for run in channel.runs} == {5}
        _, bars = aired(channel)
        assert bars[0] >= 5 * SAMPLE_RATE
    assert [file.name for file in (tmp_path / "states").glob("tone.*")] == ["tone.state"]
