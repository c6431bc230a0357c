from __future__ import annotations

import asyncio
import io
import sys
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest

from radio.music import midi
from radio.paths import STATIONS
from radio.server.http.allowance import Allowance
from radio.server.http.authorization import Authorization
from radio.server.routes.export_queue import EXPORT_JOBS, GUEST_ALLOWANCE, GUEST_LIMITS, LEAST_COST
from radio.settings.config import load
from radio.settings.controls import LAYERS
from radio.types import SAMPLE_RATE
from radio.worker import job_queue as jobs
from radio.worker.supervisor import WORKER_COMMAND
from tests.server.on_air import OnAir, ffmpeg, on_air, until
from tests.server.routes.test_stations import get


async def exported(
    radio: OnAir, query: str, station: str = "tone", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with radio.http.get(f"{radio.root}/api/stations/{station}/export?{query}", headers=names) as response:
        return response.status, dict(response.headers), await response.read()


async def test_a_station_is_exported_in_every_format(tmp_path: Path) -> None:
    async with on_air() as radio:
        assert (await exported(radio, "seconds=2&format=mid"))[0] in {200, 503}
        await until(lambda: radio.tone.edge.live > 3.5 * SAMPLE_RATE)
        status, headers, body = await exported(radio, "seconds=2&format=mid")
        assert (status, headers["Content-Type"]) == (200, "audio/midi")
        first = int(headers["X-First-Frame"])
        assert first % SAMPLE_RATE == 0
        assert first <= radio.tone.edge.live - 2 * SAMPLE_RATE
        (tmp_path / "tone.mid").write_bytes(body)
        notes = midi.read(tmp_path / "tone.mid").notes
        assert [(note.start, note.note) for note in notes[:2]] == [(0, 69), (480, 69)]
        status, headers, body = await exported(radio, "seconds=2&format=wav", Range="bytes=5-9")
        assert status == 200
        assert int(headers["Content-Length"]) == len(body)
        assert headers["Content-Disposition"].startswith('attachment; filename="tone-')
        with wave.open(io.BytesIO(body)) as file:
            assert 2 * SAMPLE_RATE <= file.getnframes() <= 6 * SAMPLE_RATE
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            assert np.abs(sound).max() > 500
        status, _, body = await exported(radio, "seconds=1&format=stems")
        assert status == 200
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert [Path(name).stem for name in archive.namelist()] == list(LAYERS)
        for format_, magic in (("flac", b"fLaC"), ("opus", b"OggS"), ("mp3", b"ID3")):
            status, _, body = await exported(radio, f"seconds=1&format={format_}")
            assert (status, body[: len(magic)]) == (200, magic)
        assert radio.app[EXPORT_JOBS].count("done") == 0, "a file that cannot be requested again is kept"


async def test_invalid_exports_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with on_air(start=False) as radio:
        assert (await exported(radio, "seconds=5"))[0] == 503
        for query, field in (("seconds=0", "seconds"), ("seconds=601", "seconds"), ("format=exe", "format")):
            status, answer = await get(radio, f"/api/stations/tone/export?{query}")
            assert (status, answer["error"]["field"]) == (422, field)
        assert (await exported(radio, "", station="tona"))[0] == 404
        assert (await exported(radio, "", Sec_Fetch_Site="cross-site"))[0] == 403
        assert (await exported(radio, "", Host="evil.example"))[0] == 403


async def test_a_head_request_renders_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.JobQueue, "submit", lambda *_: pytest.fail("a job was started"))
    async with on_air() as radio:
        await until(lambda: len(radio.tone.now_playing.bars) > 0)
        async with radio.http.head(f"{radio.root}/api/stations/tone/export?format=flac") as response:
            assert (response.status, response.headers["Content-Type"]) == (200, "audio/flac")


async def test_an_export_is_cancelled_when_the_client_disconnects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "JOB_COMMAND", (sys.executable, "-c", "import time; time.sleep(3600)"))
    async with on_air() as radio:
        await until(lambda: len(radio.tone.now_playing.bars) > 0)
        runner = radio.app[EXPORT_JOBS]
        _, writer = await asyncio.open_connection(radio.host, radio.port)
        writer.write(b"GET /api/stations/tone/export HTTP/1.0\r\n\r\n")
        await until(lambda: runner.count("running") == 1)
        writer.close()
        await until(lambda: runner.count("running") == 0)
        assert runner.count("cancelled") == 1


async def test_a_job_that_crashes_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "JOB_COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
    async with on_air() as radio:
        await until(lambda: len(radio.tone.now_playing.bars) > 0)
        status, answer = await get(radio, "/api/stations/tone/export")
        assert (status, answer["error"]["code"]) == (500, "failed")


@pytest.mark.slow
async def test_an_export_equals_the_captured_stream() -> None:
    """Compare an Opus capture of the shipped models with the export of the same frames."""
    chill = load(STATIONS).stations["chill"]
    async with on_air(chill, worker=WORKER_COMMAND) as radio:
        channel = radio.channels["chill"]
        await until(lambda: channel.edge.live > SAMPLE_RATE, 60)
        out = asyncio.create_task(
            ffmpeg("-t", "14", "-i", f"{radio.root}/chill.opus?burst=0&sid=capture", "-ar", "48000", "-f", "f32le", "-")
        )
        await until(lambda: channel.subscribers.first_frame("capture") is not None)
        captured = np.frombuffer(await out, "<f4").reshape(-1, 2)
        begins = channel.subscribers.first_frame("capture")
        status, headers, body = await exported(radio, "seconds=12&format=wav", station="chill")
        assert status == 200
    with wave.open(io.BytesIO(body)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32_768
    assert begins is not None
    start = int(headers["X-First-Frame"])
    first, last = max(start, begins), min(start + len(sound), begins + len(captured))
    assert last - first > 8 * SAMPLE_RATE
    stream = captured[first - begins : last - begins, 0]
    export = sound[first - start : last - start, 0]
    lags = range(-1_000, 1_001, 1)
    window = slice(SAMPLE_RATE, SAMPLE_RATE * 3)
    best = max(lags, key=lambda lag: float(np.dot(np.roll(stream, lag)[window], export[window])))
    assert abs(best) < 600  # the encoder's delay
    assert np.corrcoef(np.roll(stream, best)[1_000:-1_000], export[1_000:-1_000])[0, 1] > 0.98


async def test_the_exports_of_a_guest_are_limited_and_the_operators_are_not() -> None:
    guests = {"X_Forwarded_For": "203.0.113.9"}
    owner = {"Authorization": "Bearer sesame"}
    async with on_air(authorization=Authorization(control=True, token="sesame")) as radio:
        await until(lambda: radio.tone.edge.live > 2.5 * SAMPLE_RATE)
        query, most = "seconds=1&format=wav", int(GUEST_ALLOWANCE // LEAST_COST)
        radio.app[GUEST_LIMITS].allowance = Allowance(GUEST_ALLOWANCE, 3_600.0, lambda: 0.0)
        radio.app[GUEST_LIMITS].allowance.spend("203.0.113.9", GUEST_ALLOWANCE - LEAST_COST)
        assert (await exported(radio, query, **guests))[0] == 200
        status, headers, _ = await exported(radio, query, **guests)
        assert status == 429
        assert int(headers["Retry-After"]) == 3_600 // most
        assert (await exported(radio, "seconds=1&format=mid", **guests))[0] == 200
        assert (await exported(radio, query, **guests, **owner))[0] == 200
        assert (await exported(radio, query))[0] == 200, "another address has its own allowance"


async def test_an_export_that_the_queue_refuses_costs_a_guest_nothing() -> None:
    async with on_air(authorization=Authorization(control=False, token=None)) as radio:
        await until(lambda: radio.tone.edge.live > 0.5 * SAMPLE_RATE)
        radio.app[EXPORT_JOBS].max_running = radio.app[EXPORT_JOBS].max_waiting = 0
        assert (await exported(radio, "seconds=1&format=wav"))[0] == 503
        assert radio.app[GUEST_LIMITS].allowance.wait("127.0.0.1", GUEST_ALLOWANCE) == 0


async def test_a_guest_may_wait_for_two_exports_at_a_time() -> None:
    async with on_air(authorization=Authorization(control=False, token=None)) as radio:
        await until(lambda: radio.tone.edge.live > 2.5 * SAMPLE_RATE)
        answers = await asyncio.gather(*(exported(radio, "seconds=1&format=wav") for _ in range(5)))
        assert sorted(status for status, _, _ in answers) == [200, 200, 429, 429, 429]
        assert (await exported(radio, "seconds=1&format=wav"))[0] == 200
