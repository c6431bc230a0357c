"""stations.yaml: what is right is read in full, what is wrong is named, all of it, with its line."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from itertools import chain
from pathlib import Path

import pytest
import yaml

from radio.errors import SettingsError
from radio.music.chord_loops import parse_bar
from radio.paths import STATIONS
from radio.settings.config import default_path, load
from radio.settings.controls import CONTROLS
from radio.settings.server import ServerSettings
from radio.settings.station import LEARNT, StationSettings
from radio.settings.tone import Tone

MINIMAL = """\
stations:
  chill:
    title: Chill
    piano: piano.safetensors
    drums: drums.safetensors
    soundfont: font.sf2
    progressions: [[Dm7, G7]]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("piano.safetensors", "drums.safetensors", "font.sf2"):
        (tmp_path / name).touch()
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "stations.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[str]:
    path = write(folder, text)
    with pytest.raises(SettingsError) as caught:
        load(path)
    return [each.removeprefix(f"{path}:") for each in caught.value.problems]


def test_the_minimum_takes_every_default(folder: Path) -> None:
    config = load(write(folder, MINIMAL))
    station = config.stations["chill"]
    assert config.server == ServerSettings()
    assert station == StationSettings(
        name="chill",
        title="Chill",
        progressions=(("Dm7", "G7"),),
        piano=folder / "piano.safetensors",
        drums=folder / "drums.safetensors",
        soundfont=folder / "font.sf2",
    )


def test_progressions_may_have_two_chords_a_bar_or_be_learnt(folder: Path) -> None:
    text = MINIMAL.replace("[[Dm7, G7]]", "{}")
    assert load(write(folder, text.format("[[Dm9 G7, Cmaj9]]"))).stations["chill"].progressions == (
        ("Dm9 G7", "Cmaj9"),
    )
    assert load(write(folder, text.format("learnt"))).stations["chill"].progressions == ()
    assert load(write(folder, text.replace("    progressions: {}\n", ""))).stations["chill"].progressions == ()


def test_every_setting_is_read(folder: Path) -> None:
    (folder / "loops").mkdir()
    text = (
        MINIMAL
        + """\
    description: Slow.
    seed: 9
    keys_program: 1
    bass_program: 2
    drum_kit: 3
    style: jazz
    keys: [Eb, F#]
    loops: loops
    tone: {keys_lowpass: 3000}
    controls: {tempo: 72, rain_mute: false, top_k: 40}
server: {host: 0.0.0.0, port: 0, control_token: 1234, control: true, burst: 5,
         listeners: 100, listeners_per_address: 2}
"""
    )
    config = load(write(folder, text))
    station = config.stations["chill"]
    assert (station.description, station.seed, station.style, station.keys) == ("Slow.", 9, "jazz", ("Eb", "F#"))
    assert (station.keys_program, station.bass_program, station.drum_kit) == (1, 2, 3)
    assert station.loops == folder / "loops"
    assert station.tone == Tone(keys_lowpass=3000)
    assert (station.controls.tempo, station.controls.rain_mute, station.controls.top_k) == (72.0, False, 40)
    assert config.server == ServerSettings(
        "0.0.0.0", 0, "1234", True, {"opus": 5.0, "mp3": 5.0, "aac": 5.0}, listeners=100, listeners_per_address=2
    )


def test_three_mistakes_are_all_named_with_their_lines(folder: Path) -> None:
    text = MINIMAL.replace("Dm7, G7", "Dm7, H7") + "    tempoo: 80\n    controls: {tempo: 300}\n"
    found = problems(folder, text)
    assert len(found) == 3
    assert found[0].startswith("7: ")
    assert "'H7'" in found[0]
    assert found[1].startswith("8: chill: there is no setting 'tempoo'")
    assert found[2] == "9: controls: tempo: 300 is not a number from 50 to 110 BPM"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("    seed: -1", "8: chill: seed: '-1' is not a whole number from 0 to"),
        ("    seed: 1.5", "8: chill: seed: '1.5' is not a whole number"),
        ("    seed: true", "8: chill: seed: 'true' is not a whole number"),
        ("    seed: [1]", "8: chill: seed: this must be a single value"),
        ("    seed: 2024-13-45", "8: chill: seed: '2024-13-45' is no value that YAML knows"),
        ("    style: hip-hop", "8: chill: style: there is no 'hip-hop'. Did you mean 'hiphop'?"),
        ("    keys: [C, X]", "8: keys: invalid pitch 'X'"),
        ("    keys: []", "8: chill: keys: this must be a list with at least one entry"),
        ("    keys_program: 128", "8: chill: keys_program: '128' is not a whole number from 0 to 127"),
        ("    loops: nowhere", "8: chill: loops: there is no folder"),
        ("    tone: {keys_lowpas: 3000}", "8: tone: there is no setting 'keys_lowpas'. Did you mean 'keys_lowpass'?"),
        ("    tone: {keys_lowpass: -1}", "8: tone: keys_lowpass: -1 is not"),
        ("    tone: {keys_lowpass: [1]}", "8: tone: keys_lowpass: (1,) is not"),
        ("    controls: {temprature: 1}", "8: controls: there is no setting 'temprature'. Did you mean 'temperature'?"),
        ("    controls: {keys_mute: 1}", "8: controls: keys_mute: 1 is not true or false"),
        ("    controls: {mood: angry}", "8: controls: mood: 'angry' is not one of any, calm,"),
        ("    controls: 3", "8: controls: this must be a mapping"),
        ("    title: again", "8: chill: 'title' was given on line 3 already"),
        ("    ? [a]\n    : b", "8: chill: a key must be a plain name"),
        ("  Loud: {title: Loud, progressions: [[C]]}", "8: station 'Loud': a name has small letters"),
        ("  lost: {title: Lost, progressions: learned}", "8: lost: progressions: there is no 'learned'."),
        ("  full: {title: Full, progressions: [[Dm7 G7 C]]}", "8: progressions: invalid bar 'Dm7 G7 C'"),
        ("  bare: {style: soul}", "8: bare: title is missing"),
        ("  none:", "8: none: this must be a mapping"),
        ("server: {port: 70000}", "8: server: port: '70000' is not a whole number from 0 to 65535"),
        ("server: {control: maybe}", "8: server: control: 'maybe' is not true or false"),
        ("server: {control_token: ''}", "8: server: control_token: this is empty"),
        ("server: {burst: .nan}", "8: server: burst: '.nan' is not a number from 0 to 25"),
        ("server: {burst: {mp3: 25.1}}", "8: burst: mp3: '25.1' is not a number from 0 to 25"),
        ("server: {burst: {mp4: 2}}", "8: burst: there is no setting 'mp4'. Did you mean 'mp3'?"),
        ("server: {listeners: 0}", "8: server: listeners: '0' is not a whole number from 1 to 1000000"),
        ("server: {listeners_per_address: no}", "8: server: listeners_per_address: 'no' is not a whole number"),
        ("server: {burst: 25.1}", "8: server: burst: '25.1' is not a number from 0 to 25"),
        (f"server: {{burst: 1{'0' * 400}}}", "8: server: burst: '1000"),
        (f"    tone: {{gain_db: 1{'0' * 400}}}", "8: tone: gain_db: 1000"),
        (f"    controls: {{tempo: 1{'0' * 400}}}", "8: controls: tempo: 1000"),
        ("sations: {}", "8: there is no setting 'sations'. Did you mean 'stations'?"),
        ("\t- what", "8: not YAML: "),
    ],
)
def test_each_mistake_is_named_where_it_stands(folder: Path, line: str, message: str) -> None:
    assert any(each.startswith(message) for each in problems(folder, MINIMAL + line + "\n"))


def test_missing_files_are_named(folder: Path) -> None:
    for name in ("piano.safetensors", "drums.safetensors", "font.sf2"):
        (folder / name).unlink()
    found = problems(folder, MINIMAL)
    assert [each.split(":")[0] for each in found] == ["4", "5", "6"]
    assert str(folder / "piano.safetensors") in found[0]
    assert str(folder / "drums.safetensors") in found[1]
    assert str(folder / "font.sf2") in found[2]


def test_a_missing_default_file_is_named_at_its_station(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = StationSettings.__dataclass_fields__["soundfont"]
    monkeypatch.setattr(missing, "default", folder / "gone.sf2")
    found = problems(folder, MINIMAL.replace("    soundfont: font.sf2\n", ""))
    assert found[0].startswith(f"2: chill: soundfont: there is no soundfont {folder / 'gone.sf2'}")


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "stations: {}", "server: {port: 1}", "stations: [", "\0"])
def test_a_file_without_stations_is_refused(folder: Path, text: str) -> None:
    assert problems(folder, text)


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone.yaml: cannot be read: No such file"):
        load(folder / "gone.yaml")
    (folder / "latin.yaml").write_bytes(b"title: caf\xe9\n")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load(folder / "latin.yaml")


def test_the_nearest_station_is_suggested(folder: Path) -> None:
    config = load(write(folder, MINIMAL))
    assert config.station("chill").title == "Chill"
    with pytest.raises(SettingsError, match=r"there is no station .chil'. Did you mean 'chill'?"):
        config.station("chil")


def test_a_host_is_read_whoever_can_reach_it(folder: Path) -> None:
    """The token may come from the environment yet, and whoever plays a station at home needs none."""
    assert load(write(folder, MINIMAL + "server: {host: 0.0.0.0}\n")).server == ServerSettings(host="0.0.0.0")


def test_a_merge_is_one_mistake_where_it_stands(folder: Path) -> None:
    text = MINIMAL.replace("chill:", "chill: &chill") + "  study:\n    <<: *chill\n"
    assert problems(folder, text) == ["9: study: merges (<<) are not read: write the settings out"]


def test_the_working_directory_comes_before_the_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert default_path() == STATIONS
    write(folder, MINIMAL)
    assert list(load().stations) == ["chill"]


def test_the_shipped_file_documents_every_setting() -> None:
    text = STATIONS.read_text(encoding="utf-8")
    for name in (
        *(each.name for each in fields(StationSettings) if each.name != "name"),
        *(each.name for each in fields(ServerSettings)),
        *(each.name for each in fields(Tone)),
        *CONTROLS,
    ):
        assert re.search(rf"^\s*(# )?{name}:", text, re.MULTILINE), f"{name} is not in stations.yaml"


def test_the_shipped_stations_are_right() -> None:
    stations = yaml.safe_load(STATIONS.read_text(encoding="utf-8"))["stations"]
    assert {"chill", "study"} <= set(stations)
    for station in stations.values():
        for bar in chain.from_iterable(() if station["progressions"] == LEARNT else station["progressions"]):
            assert parse_bar(bar)


def test_the_shipped_file_loads() -> None:
    assert {"chill", "study"} <= set(load(STATIONS).stations)


def test_the_first_station_shows_the_defaults_of_the_tone_but_for_its_balance() -> None:
    usual = Tone()
    shown = load(STATIONS).stations["chill"].tone
    assert replace(shown, keys_db=usual.keys_db, bass_db=usual.bass_db, gain_db=usual.gain_db) == usual


def test_a_burst_for_one_format_leaves_the_others(folder: Path) -> None:
    config = load(write(folder, MINIMAL + "server: {burst: {mp3: 4}}\n"))
    assert config.server.burst == {"opus": 22.0, "mp3": 4.0, "aac": 22.0}
