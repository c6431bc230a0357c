"""`POST /api/stations/{station}/prime`: a file is read in a separate process, and the station starts from it."""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path

import msgspec
import pytest

from radio.compose.listening.reading import prime_of
from radio.compose.prime import as_json, from_json
from radio.music.midi_parts import PartChoice
from radio.server.http.authorization import Authorization
from radio.station.tasks import MOST_BYTES, MOST_RECORDED_BYTES, ReadPrime
from tests.compose.listening.songs import song
from tests.server.on_air import on_air
from tests.transcription.sounds import encoded, needs_network, played

NETWORK = importlib.util.find_spec("onnxruntime") is not None


async def test_a_station_starts_from_an_uploaded_file_and_its_history_has_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "radio")
    score = song(tmp_path / "song.mid", tempo=72, drums=False)
    data = (tmp_path / "song.mid").read_bytes()
    async with on_air() as radio:
        address = f"{radio.root}/api/stations/tone/prime"
        headers = {"Content-Type": "audio/midi"}
        async with radio.http.post(f"{address}?name=song.mid%1b[2J", data=data, headers=headers) as response:
            assert response.status == 200
            answer = await response.json()
        assert (answer["tempo"], answer["key"], answer["drums"], answer["melody"]) == (
            pytest.approx(72),
            "C",
            False,
            True,
        )
        assert (answer["name"], answer["tracks"]) == ("song.mid", 3)
        assert "station 'tone': a start from 'song.mid', requested by 127.0.0.1" in caplog.messages
        (change,) = [change for change in radio.tone.runs[-1].changes if change.prime]
        assert answer["bar"] == change.bar + 3
        assert change.prime is not None
        assert from_json(msgspec.to_builtins(change.prime)) == prime_of(score, "song.mid", PartChoice())
        async with radio.http.post(f"{address}?part=track%20bass", data=data, headers=headers) as response:
            assert (await response.json())["notes"] == 8


@needs_network
async def test_a_recording_is_transcribed_in_a_separate_process(tmp_path: Path) -> None:
    score = song(tmp_path / "song.mid", tempo=96, turns=1)
    data = encoded(tmp_path / "song.ogg", played(score)).read_bytes()
    async with on_air() as radio:
        address = f"{radio.root}/api/stations/tone/prime"
        async with radio.http.post(
            f"{address}?name=song", data=data, headers={"Content-Type": "audio/ogg"}
        ) as response:
            answer = await response.json()
            assert response.status == 200, answer
        assert answer["tempo"] == pytest.approx(96, rel=0.02)
        assert (answer["key"], answer["bars"]) == ("C", 4)
        assert len(radio.tone.runs[-1].changes) == 1


async def test_an_unusable_file_is_refused_and_the_station_keeps_playing(tmp_path: Path) -> None:
    song(tmp_path / "song.mid")
    data = (tmp_path / "song.mid").read_bytes()
    too_long = b"RIFF\0\0\0\0WAVE" + bytes(MOST_RECORDED_BYTES)
    async with on_air() as radio:
        address = f"{radio.root}/api/stations/tone/prime"
        cases = [
            (address, b"noise", 422, "file", "not a standard MIDI file"),
            (address, b"", 422, "file", "not a standard MIDI file"),
            (f"{address}?part=channel%209", data, 422, "file", "it has no such part; choose a track"),
            (f"{address}?part=nonsense", data, 422, "part", "unknown part 'nonsense'"),
            (address, io.BytesIO(bytes(MOST_BYTES + 1)), 413, "file", "the file is larger than 5 MB"),
            (address, io.BytesIO(too_long), 413, "file", "the recording is larger than 20 MB"),
            (address, b"fLaCnonsense", 422, "file", "the audio cannot be decoded" if NETWORK else "onnxruntime"),
        ]
        for url, body, status, field, message in cases:
            async with radio.http.post(url, data=body, headers={"Content-Type": "audio/midi"}) as response:
                error = (await response.json())["error"]
                assert (response.status, error["field"]) == (status, field), error
                assert message in error["message"]
                assert error["allowed"]
        assert not radio.tone.runs[-1].changes
        assert radio.tone.restarts == 0


async def test_a_prime_needs_the_control_token() -> None:
    async with (
        on_air(authorization=Authorization(control=True, token="secret")) as radio,
        radio.http.post(f"{radio.root}/api/stations/tone/prime", data=b"MThd") as response,
    ):
        assert response.status == 401


def test_a_prime_passes_through_a_job_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)  # the limits are for a separate process
    score = song(tmp_path / "song.mid")
    task = ReadPrime((tmp_path / "song.mid").read_bytes(), "song", PartChoice())
    written = json.loads(task.run(tmp_path, lambda _: None).read_text())
    assert written == json.loads(json.dumps(as_json(prime_of(score, "song", PartChoice()))))
