from __future__ import annotations

import json
from pathlib import Path

import pytest

from radio.cli.arguments import load_config, station_settings
from radio.cli.main import main, parse


def test_prompt_shows_how_words_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompt", "slow, no drums", "with a saxophone"]) == 0
    output = capsys.readouterr().out
    assert "tempo=66" in output
    assert "drums_mute=true" in output
    assert "saxophone  not understood" in output
    assert main(["prompt", "--json", "--station", "study", "72 bpm"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["changes"]["tempo"] == 72
    assert answer["phrases"][0]["text"] == "72 bpm"


def test_the_set_option_takes_precedence_over_the_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = parse(["render", "--station", "chill", "--prompt", "90 bpm, rain", "--set", "tempo=60", "x.wav"])
    settings = station_settings(arguments, load_config(None))
    assert settings.controls.tempo == 60
    assert settings.controls.rain_mute is False
    assert "rain_mute=false" in capsys.readouterr().err


def test_a_prompt_that_is_not_understood_or_too_long_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--station", "chill", "--prompt", "purple elephants", "x.wav"]) == 2
    assert "no part of 'purple elephants' was understood" in capsys.readouterr().err
    assert main(["render", "--station", "chill", "--prompt", "slow " * 300, "x.wav"]) == 2
    assert "a prompt of 1500 characters is too long" in capsys.readouterr().err


def test_a_station_begins_as_its_prompt_describes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stations.yaml"
    path.write_text("stations:\n  a: {title: A, prompt: 'very slow, bananas', controls: {swing: 60}}\n")
    station = load_config(path).stations["a"]
    assert station.controls.tempo < 60
    assert station.controls.swing == 60
    assert "radio: warning: a: prompt: 'bananas' is not understood" in capsys.readouterr().err
