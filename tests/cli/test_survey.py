"""`radio survey`: from a folder of recordings to the report."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from radio.audio.decoding import read
from radio.cli.main import main
from radio.errors import SettingsError
from radio.judge.measures import measure
from radio.server.survey.pairs import Pair
from radio.server.survey.stations import render_pairs
from radio.settings.config import load
from radio.settings.station import StationSettings
from tests.server.survey.folders import make_folder


def post(address: str, body: dict[str, Any] | None = None) -> Any:
    data = b"" if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"} if body else {}, method="POST")  # noqa: S310 - our own process
    with urllib.request.urlopen(request) as response:  # noqa: S310 - likewise
        return json.loads(response.read() or b"null")


@pytest.mark.slow
def test_answers_are_served_stored_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_folder(tmp_path, seconds=1.0)
    command = [sys.executable, "-m", "radio", "survey", str(folder), "--port", "0", "--title", "Keys"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = next(match[0] for line in process.stdout if (match := re.search(r"http://\S+", line)))
        visit = post(f"{address}api/visits")
        assert visit["title"] == "Keys"
        for pair in visit["pairs"]:
            body = {"listener": visit["listener"], "place": pair["place"], "balance": "a", "quality": "same"}
            post(f"{address}api/answers", body)
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    csv = tmp_path / "answers.csv"
    assert main(["survey", str(folder), "--report", "--csv", str(csv)]) == 0
    out = capsys.readouterr().out
    assert "| balance | felt or rhodes |" in out
    assert "1 visits, 4 answers" in out
    assert len(csv.read_text().splitlines()) == 5
    assert main(["survey", str(folder), "--csv", "-"]) == 0
    assert capsys.readouterr().out == csv.read_text()


@pytest.mark.usefixtures("two_candidates")
def test_the_stations_of_a_config_are_conditions(tmp_path: Path) -> None:
    stations = {
        name: replace(load(None).station("chill"), name=name, prompt=prompt)
        for name, prompt in (("two", "rainy night"), ("one", "rainy night"))
    }
    pairs = render_pairs(stations, tmp_path, seeds=[1], seconds=1.0, on_progress=lambda _: None)
    assert [(pair.conditions, pair.words) for pair in pairs] == [(("one", "two"), "rainy night")]
    for pair in pairs:
        assert all(measure(read(path)).seconds == pytest.approx(1, abs=0.1) for path in pair.files)


def test_the_stations_of_a_config_start_with_the_controls_of_their_prompts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[StationSettings] = []

    def render(stations: Mapping[str, StationSettings], *_: object, **__: object) -> list[Pair]:
        rendered.extend(stations.values())
        raise SettingsError("enough")

    monkeypatch.setattr("radio.server.survey.stations.render_pairs", render)
    config = tmp_path / "two.yaml"
    config.write_text("stations:\n  one:\n    title: One\n    prompt: 60 bpm, no drums\n  two:\n    title: Two\n")
    assert main(["survey", str(config)]) == 2
    assert [(one.controls.tempo, one.controls.drums_mute) for one in rendered] == [(60, True), (80, False)]


def test_a_mistake_is_reported_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lonely = tmp_path / "lonely.yaml"
    lonely.write_text("stations:\n  chill:\n    title: Chill\n")
    for source, arguments, words in (
        (tmp_path, [], "has no pair"),
        (tmp_path, ["--report"], "there are no answers yet"),
        (lonely, [], "compares two stations or more"),
    ):
        assert main(["survey", str(source), *arguments]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert words in line
