"""`--prompt-via musicgen`: renders that start from a recording generated from words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from radio.cli.arguments import load_config, station_settings
from radio.cli.exit_codes import FAILED, OK, USAGE
from radio.cli.main import main, parse
from radio.cli.musicgen import take_recording
from radio.cli.priming import primed
from radio.music import midi
from tests.compose.listening.songs import song
from tests.musicgen.stand_ins import stand_in, weights_folder
from tests.transcription.sounds import encoded, needs_network, played


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "radio" / "musicgen"


@pytest.fixture
def render(tmp_path: Path) -> list[str]:
    weights = weights_folder(tmp_path / "weights")
    options = ["--prompt-via", "musicgen", "--musicgen-weights", str(weights)]
    return ["render", "--station", "study", *options, "--bars", "1", str(tmp_path / "out.mid")]


@needs_network
@pytest.mark.usefixtures("two_candidates")
def test_a_render_starts_from_the_recording_but_the_prompt_takes_precedence(
    tmp_path: Path,
    cache: Path,
    render: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recording = encoded(tmp_path / "song.wav", played(song(tmp_path / "song.mid", tempo=96, turns=1)))
    stand_in(monkeypatch, f"shutil.copy({str(recording)!r}, order['target'])")
    assert main([*render, "--prompt", "72 bpm"]) == OK
    said = capsys.readouterr().err
    assert "CC BY-NC 4.0" in said
    (kept,) = cache.iterdir()
    assert f"MusicGen: writing 30 seconds of audio to {kept}" in said
    assert re.search(rf"{kept.name}: 9[567][.\d]* BPM; key C; chords", said)
    assert midi.read(tmp_path / "out.mid").tempos[0][1] == pytest.approx(60e6 / 72, rel=1e-5)

    stand_in(monkeypatch, "sys.exit(1)")
    arguments = parse([*render, "--prompt", "72 bpm"])
    take_recording(arguments)
    assert arguments.prime == str(kept)
    assert f"MusicGen: reusing {kept}" in capsys.readouterr().err
    take_recording(arguments)
    assert capsys.readouterr().err == "", "a server's reload prints nothing"
    assert primed(arguments, station_settings(arguments, load_config(None))).prime == kept


@needs_network
def test_an_unusable_recording_is_refused(
    tmp_path: Path, render: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = """
import wave
with wave.open(order["target"], "wb") as file:
    file.setparams((1, 2, 16_000, 0, "NONE", ""))
    file.writeframes(bytes(2 * 16_000 * 5))
"""
    stand_in(monkeypatch, silent)
    assert main([*render, "--prompt", "rain"]) == FAILED
    said = capsys.readouterr().err
    assert "it is silent" in said
    assert "Another --seed gives another recording" in said
    assert not (tmp_path / "out.mid").exists()


def test_incompatible_options_are_refused(
    tmp_path: Path, render: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    plain = ["render", "--station", "study", str(tmp_path / "out.mid")]
    for command, message in [
        (render, "--prompt-via requires --prompt WORDS"),
        ([*plain, "--prompt", "rain", "--prompt-via", "musicgen"], "needs --musicgen-weights FOLDER"),
        ([*plain, "--prompt", "rain", "--musicgen-weights", "."], "requires --prompt-via musicgen"),
        ([*render, "--prompt", "rain", "--prime", "random"], "leave out --prime and --prime-part"),
        ([*render, "--prompt", "rain", "--prime-part", "channel 1"], "leave out --prime and --prime-part"),
        (["--prompt-via", "musicgen", "check"], "radio check does not take --prompt-via"),
        ([*plain[:-1], "--prompt", "rain", "--prompt-via", "musicgem", "x.mid"], "Did you mean 'musicgen'?"),
        ([*render[:-1], "--prompt", "rain", "x.nothing"], "unsupported file type '.nothing'"),
    ]:
        assert main(command) == USAGE
        assert message in capsys.readouterr().err


def test_a_server_requests_one_recording_when_it_starts(
    tmp_path: Path, cache: Path, render: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, """print(json.dumps({"fault": "no weights"}))""")
    assert main(["serve", "--no-state", *render[3:7], "--prompt", "rain"]) == FAILED
    said = capsys.readouterr().err
    assert said.count("MusicGen: writing") == 1
    assert "radio: MusicGen: no weights" in said
    assert list(cache.iterdir()) == []
