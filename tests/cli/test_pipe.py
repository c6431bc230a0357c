"""The whole chain: models, soundfont and encoders, through the command `radio`."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
import wave
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest

from radio.cli.main import main
from radio.cli.pipe import pipe
from radio.cli.render import render
from radio.paths import STATIONS as SHIPPED
from radio.settings.config import load
from radio.station.extent import TimedExcerpt
from radio.types import SAMPLE_RATE
from tests.audio.pieces import integrated_loudness
from tests.conftest import Radio

FRAME_BYTES = 4
PIPE = ("--station", "chill", "--seed", "3", "--output", "-")  # an omitted seed would be printed


def decoded(audio: bytes, *options: str) -> np.ndarray:
    """Return the frames that ffmpeg decodes: 16-bit stereo at 48 kHz."""
    command = ["ffmpeg", "-v", "error", *options, "-i", "-", "-f", "s16le", "-ac", "2", "-ar", "48000", "-"]
    result = subprocess.run(command, input=audio, capture_output=True, check=True)
    assert result.stderr == b""
    return np.frombuffer(result.stdout, dtype="<i2").reshape(-1, 2)


def pcm(*, seed: int = 5, **controls: float) -> bytes:
    """Return two seconds of the pipe's output."""
    settings = load(SHIPPED).stations["chill"]
    sink = io.BytesIO()
    settings = replace(settings, seed=seed, controls=settings.controls.changed(controls))
    pipe(settings, sink, format_="s16le", seconds=2)
    return sink.getvalue()


def test_the_piped_audio_depends_only_on_seed_and_controls(radio: Radio) -> None:
    first = pcm()
    assert len(first) == 2 * SAMPLE_RATE * FRAME_BYTES
    assert np.frombuffer(first, dtype="<i2").any()
    assert pcm() == first
    assert pcm(seed=6) != first
    softer = pcm(keys_level=-20)
    assert softer != first
    result = radio(*PIPE, "--format", "s16le", "--seconds", "2", "--seed", "5", "--set", "keys_level=-20")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == softer


@pytest.mark.usefixtures("two_candidates")
@pytest.mark.parametrize("name", ["wav", "opus", "mp3", "flac"])
def test_every_format_of_the_pipe_decodes_to_the_requested_length(
    capsysbinary: pytest.CaptureFixture[bytes], name: str
) -> None:
    assert main([*PIPE, "--format", name, "--seconds", "2.5"]) == 0
    out, err = capsysbinary.readouterr()
    assert err == b""
    assert len(decoded(out)) == pytest.approx(2.5 * SAMPLE_RATE, abs=0.06 * SAMPLE_RATE)


def test_a_reader_that_closes_the_pipe_ends_it_without_an_error(tmp_path: Path) -> None:
    for name in ("wav", "opus"):
        command = [sys.executable, "-m", "radio", *PIPE, "--format", name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as program:
            assert program.stdout is not None
            assert program.stderr is not None
            assert program.stdout.read(1000)
            program.stdout.close()
            assert program.wait(timeout=90) == 0
            assert program.stderr.read() == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_stream_is_complete(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "radio", *PIPE, "--format", "opus"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        audio = program.stdout.read(20_000)
        program.send_signal(number)
        audio += program.stdout.read()
        assert program.wait(timeout=90) == 0
        assert program.stderr.read() == b""
    assert len(decoded(audio)) > SAMPLE_RATE


def test_log_lines_of_the_server_have_one_timestamp() -> None:
    code = """
import logging
from radio.cli.main import main
from radio.server import app
async def logged(*_, **__):
    logging.getLogger("radio.station.chill").warning("the worker ended")
app.serve = logged
main(["serve"])
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S*"
    assert re.fullmatch(time + r" WARNING radio\.station\.chill: the worker ended\n", result.stderr)


def test_the_server_keeps_running_if_nothing_reads_its_log() -> None:
    code = """
import logging
from radio.cli.main import main
from radio.server import app
from tests.audio.pieces import integrated_loudness
async def logged(*_, on_ready, **__):
    on_ready(["http://127.0.0.1:8000/"])
    for number in range(5_000):
        logging.getLogger(f"radio.station.{number}").warning("the worker ended " * 10)
app.serve = logged
raise SystemExit(main(["serve"]))
"""
    command = [sys.executable, "-c", code]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with (
        Path("/dev/full").open("wb") as full,
        subprocess.Popen(command, stdout=full, stderr=subprocess.PIPE, env=environment) as program,
    ):
        assert program.wait(timeout=90) == 0


def test_without_a_sound_card_the_error_names_alternatives(radio: Radio) -> None:
    if list(Path("/dev").glob("snd/pcm*p")):
        pytest.skip("this machine has a sound card")
    result = radio("--station", "chill", env={**os.environ, "PULSE_SERVER": "", "ALSA_CONFIG_PATH": ""})
    assert result.returncode == 1
    lines = result.stderr.decode().splitlines()
    assert len(lines) == 1
    assert "no sound card can be opened" in lines[0]
    assert "`radio serve`" in lines[0]


@pytest.mark.usefixtures("started_programs")  # PortAudio looks for cards once per process
def test_the_sound_card_gets_the_same_audio_as_the_pipe(radio: Radio, tmp_path: Path) -> None:
    card = '</usr/share/alsa/alsa.conf>\npcm.recorded {{ type file slave.pcm "null" file "{}" format raw }}\n'
    card += 'pcm.!default {{ type plug slave {{ pcm "recorded" format S16_LE }} }}\n'
    (tmp_path / "asound.conf").write_text(card.format(tmp_path / "recorded"), encoding="utf-8")
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")}
    result = radio("--station", "chill", "--seconds", "2", "--seed", "5", env=environment)
    assert (result.returncode, result.stderr) == (0, b"")
    lines = result.stdout.decode().splitlines()
    assert len(lines) == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  Chill · \w.* · key of [A-G][b#]?m? · [\d.]+ BPM", lines[0])
    recorded = np.fromfile(tmp_path / "recorded", dtype="<i2").reshape(-1, 2).astype(int)
    # Use a program here too: this process may still have the few candidates of another package.
    piped_by = radio("--station", "chill", "--seconds", "2", "--seed", "5", "--output", "-", "--format", "s16le")
    piped = np.frombuffer(piped_by.stdout, dtype="<i2").reshape(-1, 2).astype(int)
    padding = len(recorded) - len(piped)  # silence that the card may put before or after
    assert padding >= 0
    assert any(np.abs(recorded[at : at + len(piped)] - piped).max() <= 2 for at in range(padding + 1))


@pytest.mark.usefixtures("two_candidates")
def test_the_same_seed_gives_the_same_midi_file(tmp_path: Path) -> None:
    for name, seed in (("a.mid", "7"), ("b.mid", "7"), ("c.mid", "8")):
        assert main(["render", "--station", "chill", "--minutes", "0.3", "--seed", seed, str(tmp_path / name)]) == 0
    a, b, c = ((tmp_path / name).read_bytes() for name in ("a.mid", "b.mid", "c.mid"))
    assert a == b
    assert a != c
    assert a.startswith(b"MThd")


@pytest.mark.usefixtures("two_candidates")
def test_count_renders_a_track_per_seed_with_the_chosen_instrument(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("vibes.mid", "vibes.wav")]
    options = ["--minutes", "0.05", "--seed", "7", "--count", "2", "--instrument", "vibraphone", "--no-drums"]
    assert main(["render", "--station", "chill", *options, *files]) == 0
    names = ["vibes-7.mid", "vibes-7.wav", "vibes-8.mid", "vibes-8.wav"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    file = mido.MidiFile(tmp_path / "vibes-7.mid")
    assert [track.name for track in file.tracks[1:]] == ["keys", "bass"]
    assert next(message.program for message in file.tracks[1] if message.type == "program_change") == 11


@pytest.mark.slow
def test_an_interrupted_render_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    command = [sys.executable, "-m", "radio", "render", "--station", "chill", "--minutes", "10", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        try:
            deadline = time.monotonic() + 90
            while not list(tmp_path.rglob("*.wav")):
                assert time.monotonic() < deadline, "nothing has been written"
                time.sleep(0.02)
            program.send_signal(signal.SIGINT)
            assert program.wait(timeout=90) == 130
        finally:
            program.kill()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_three_minutes_render_four_times_faster_than_real_time_and_reproducibly(tmp_path: Path) -> None:
    settings = replace(load(SHIPPED).stations["chill"], seed=7)
    began = time.process_time()
    render(settings, extent=TimedExcerpt(180), paths=[tmp_path / "a.wav"])
    assert time.process_time() - began < 180 / 4
    render(settings, extent=TimedExcerpt(180), paths=[tmp_path / "b.wav"])
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    with wave.open(io.BytesIO((tmp_path / "a.wav").read_bytes())) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    assert len(samples) == 180 * SAMPLE_RATE
    assert -17.5 < integrated_loudness((samples / 32_768).astype(np.float32)) < -14.5
    loud = np.abs(samples[: 180 * SAMPLE_RATE].astype(int)).max(axis=1).reshape(-1, SAMPLE_RATE).max(axis=1)
    assert loud[:-2].min() > 300  # no second without music, up to the end of the fade
