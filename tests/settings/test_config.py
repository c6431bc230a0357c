"""stations.yaml: every setting is read, and every mistake is named with its line."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from itertools import chain, takewhile
from pathlib import Path

import pytest
import yaml

from radio.errors import SettingsError
from radio.music.chord_loops import parse_bar
from radio.paths import STATIONS
from radio.settings.config import default_path, load
from radio.settings.controls import Controls
from radio.settings.fields import settings_in, settings_of
from radio.settings.push import PUSH, PushSettings
from radio.settings.server import ServerSettings
from radio.settings.station import LEARNED, StationSettings
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
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


def test_omitted_settings_have_their_defaults(folder: Path) -> None:
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


def test_progressions_may_have_two_chords_per_bar_or_be_learned(folder: Path) -> None:
    text = MINIMAL.replace("[[Dm7, G7]]", "{}")
    assert load(write(folder, text.format("[[Dm9 G7, Cmaj9]]"))).stations["chill"].progressions == (
        ("Dm9 G7", "Cmaj9"),
    )
    assert load(write(folder, text.format("learned"))).stations["chill"].progressions == ()
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
server: {host: 0.0.0.0, port: 0, control_token: 12345678, control: true, burst: 5,
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
        "0.0.0.0", 0, "12345678", True, {"opus": 5.0, "mp3": 5.0, "aac": 5.0}, listeners=100, listeners_per_address=2
    )


def test_a_track_may_draw_its_programs_from_lists(folder: Path) -> None:
    usual = load(write(folder, MINIMAL)).stations["chill"]
    assert usual.keys_programs == (4,)
    text = MINIMAL + "    keys_program: [4, 11]\n    lead_programs: []\n"
    station = load(write(folder, text)).stations["chill"]
    assert station.keys_program == station.keys_programs == (4, 11)
    assert station.lead_programs == ()


def test_three_mistakes_are_all_named_with_their_lines(folder: Path) -> None:
    text = MINIMAL.replace("Dm7, G7", "Dm7, H7") + "    tempoo: 80\n    controls: {tempo: 300}\n"
    lines = problems(folder, text)
    assert len(lines) == 3
    assert lines[0].startswith("7: ")
    assert "'H7'" in lines[0]
    assert lines[1].startswith("8: chill: there is no setting 'tempoo'")
    assert lines[2] == "9: controls: tempo: 300 is not a number from 50 to 110 BPM"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("    seed: -1", "8: chill: seed: -1 is not a whole number from 0 to"),
        ("    seed: 1.5", "8: chill: seed: 1.5 is not a whole number"),
        ("    seed: true", "8: chill: seed: true is not a whole number"),
        ("    seed: [1]", "8: chill: seed: this must be a single value"),
        ("    seed: 2024-13-45", "8: chill: seed: '2024-13-45' is not a valid YAML value"),
        ("    style: hip-hop", "8: chill: style: 'hip-hop' is not one of rock, funk, jazz, latin, hiphop, afrocuban,"),
        ("    keys: [C, X]", "8: keys: invalid pitch 'X'"),
        ("    keys: []", "8: chill: keys: this must be a list with at least one entry"),
        ("    keys_program: 128", "8: chill: keys_program: 128 is not a whole number from 0 to 127"),
        ("    keys_program: [4, 128]", "8: keys_program: 128 is not a whole number from 0 to 127"),
        ("    keys_program: []", "8: chill: keys_program: this must be a list with at least one entry"),
        ("    lead_programs: 11", "8: chill: lead_programs: this must be a list"),
        ("    loops: nowhere", "8: chill: loops: there is no folder"),
        ("    tone: {keys_lowpas: 3000}", "8: tone: there is no setting 'keys_lowpas'. Did you mean 'keys_lowpass'?"),
        ("    tone: {keys_lowpass: -1}", "8: tone: keys_lowpass: -1 is not"),
        ("    tone: {keys_lowpass: [1]}", "8: tone: keys_lowpass: this must be a single value"),
        ("    controls: {temprature: 1}", "8: controls: there is no setting 'temprature'. Did you mean 'temperature'?"),
        ("    controls: {keys_mute: 1}", "8: controls: keys_mute: 1 is not true or false"),
        ("    controls: {mood: angry}", "8: controls: mood: 'angry' is not one of any, calm,"),
        ("    controls: 3", "8: controls: this must be a mapping"),
        ("    title: again", "8: chill: 'title' is already on line 3"),
        ("    ? [a]\n    : b", "8: chill: a key must be a plain name"),
        ("  Loud: {title: Loud, progressions: [[C]]}", "8: 'Loud' is not a station name: lowercase letters"),
        (
            "  lost: {title: Lost, progressions: learnd}",
            "8: lost: progressions: 'learnd' is not learned, or a list of chord loops. Did you mean 'learned'?",
        ),
        (
            "  long: {title: Long, progressions: [[C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C]]}",
            "8: progressions: this must be a list with at most 16 entries; it has 17",
        ),
        (
            "  none: {title: None, progressions: []}",
            "8: none: progressions: this must be a list with at least one entry",
        ),
        ("  full: {title: Full, progressions: [[Dm7 G7 C]]}", "8: progressions: invalid bar 'Dm7 G7 C'"),
        ("  bare: {style: soul}", "8: bare: title is missing"),
        ("  none:", "8: none: this must be a mapping"),
        ("server: {port: 70000}", "8: server: port: 70000 is not a whole number from 0 to 65535"),
        (
            "server: {port: '9000'}",
            "8: server: port: '9000' is not a whole number from 0 to 65535; write it without quotes",
        ),
        (
            "server: {port: 010000}",
            "8: server: port: YAML reads 010000 as 4096; write a plain decimal number",
        ),
        ("server: {port: 1:30}", "8: server: port: YAML reads 1:30 as 90; write a plain decimal number"),
        (
            "server: {host: 'http://localhost'}",
            "8: server: host: 'http://localhost' is not a host name or IP address",
        ),
        (
            "server: {host: '0.0.0.0:8000'}",
            "8: server: host: '0.0.0.0:8000' is not a host name or IP address",
        ),
        ("server: {host: 'a b'}", "8: server: host: 'a b' is not a host name or IP address"),
        ("server: {hosts: [radio.home:80]}", "8: hosts: 'radio.home:80' is not a host name: lowercase letters"),
        ("server: {control: 'true'}", "8: server: control: 'true' is not true or false; write it without quotes"),
        ("server: {control: maybe}", "8: server: control: 'maybe' is not true or false"),
        ("server: {control_token: ''}", "8: server: control_token: this is empty"),
        (
            "server: {control_token: s3cret}",
            "8: server: control_token: the token has 6 characters",
        ),
        ("server: {burst: .nan}", "8: server: burst: nan is not a number from 0 to 25 s"),
        ("server: {burst: {mp3: 25.1}}", "8: burst: mp3: 25.1 is not a number from 0 to 25"),
        ("server: {burst: {mp4: 2}}", "8: burst: there is no setting 'mp4'. Did you mean 'mp3'?"),
        ("server: {listeners: 0}", "8: server: listeners: 0 is not a whole number from 1 to 1000000"),
        ("server: {listeners_per_address: no}", "8: server: listeners_per_address: false is not a whole number"),
        ("server: {burst: 25.1}", "8: server: burst: 25.1 is not a number from 0 to 25"),
        (f"server: {{burst: 1{'0' * 400}}}", "8: server: burst: 1000"),
        (f"    tone: {{gain_db: 1{'0' * 400}}}", "8: tone: gain_db: 1000"),
        (f"    controls: {{tempo: 1{'0' * 400}}}", "8: controls: tempo: 1000"),
        ("sations: {}", "8: there is no setting 'sations'. Did you mean 'stations'?"),
        ("\t- what", "8: not YAML: "),
    ],
)
def test_each_mistake_is_named_with_its_line(folder: Path, line: str, message: str) -> None:
    lines = problems(folder, MINIMAL + line + "\n")
    assert any(problem.startswith(message) for problem in lines), lines


def test_the_nearest_choice_is_suggested(folder: Path) -> None:
    (line,) = problems(folder, MINIMAL + "    style: hip-hop\n")
    assert line.endswith("Did you mean 'hiphop'?")


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        ("http://localhost", "; leave out 'http://'"),
        ("0.0.0.0:8000", "; write host: 0.0.0.0 and port: 8000"),
        ("https://radio.home:443/x", "; leave out 'https://'; write host: radio.home and port: 443"),
        ("[::1]:80", "; write host: ::1 and port: 80"),
        ("-", ""),
    ],
)
def test_a_host_with_a_scheme_or_port_is_refused(folder: Path, host: str, hint: str) -> None:
    message = f"host: '{host}' is not a host name or IP address{hint}"
    assert problems(folder, MINIMAL + f"server: {{host: '{host}'}}\n") == [f"8: server: {message}"]
    with pytest.raises(SettingsError) as caught:
        ServerSettings(host=host)
    assert caught.value.problems == (message,)


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0", "::", "fe80::1%eth0", "my_pc.lan", "Radio.Home"])
def test_host_names_and_addresses_are_read(folder: Path, host: str) -> None:
    assert load(write(folder, MINIMAL + f"server: {{host: '{host}'}}\n")).server.host == host


def test_an_earlier_spelling_is_read_with_a_warning(folder: Path) -> None:
    path = write(folder, MINIMAL.replace("[[Dm7, G7]]", "learnt"))
    config = load(path)
    assert config.stations["chill"].progressions == ()
    assert config.warnings == (f"{path}:7: progressions: 'learnt' is now spelled 'learned'",)
    assert load(write(folder, MINIMAL)).warnings == ()


def test_a_number_with_an_exponent_is_read(folder: Path) -> None:
    station = load(write(folder, MINIMAL + "    tone: {highpass: 4e1}\n    controls: {lowpass: 1.2e4}\n")).stations[
        "chill"
    ]
    assert (station.tone.highpass, station.controls.lowpass) == (40.0, 12_000.0)


def test_null_and_an_empty_list_are_equivalent(folder: Path) -> None:
    for value in ("null", "[]"):
        assert load(write(folder, MINIMAL + f"server: {{hosts: {value}}}\n")).server.hosts == ()
    assert load(write(folder, MINIMAL + "server: {hosts: [radio.home]}\n")).server.hosts == ("radio.home",)


def test_missing_files_are_named(folder: Path) -> None:
    for name in ("piano.safetensors", "drums.safetensors", "font.sf2"):
        (folder / name).unlink()
    lines = problems(folder, MINIMAL)
    assert [line.split(":")[0] for line in lines] == ["4", "5", "6"]
    assert str(folder / "piano.safetensors") in lines[0]
    assert str(folder / "drums.safetensors") in lines[1]
    assert str(folder / "font.sf2") in lines[2]


def test_a_missing_default_file_is_named_with_the_line_of_its_station(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = StationSettings.__dataclass_fields__["soundfont"]
    monkeypatch.setattr(missing, "default", folder / "gone.sf2")
    lines = problems(folder, MINIMAL.replace("    soundfont: font.sf2\n", ""))
    assert lines[0].startswith(f"2: chill: soundfont: there is no soundfont {folder / 'gone.sf2'}")


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "stations: {}", "server: {port: 1}", "stations: [", "\0"])
def test_a_file_without_stations_is_refused(folder: Path, text: str) -> None:
    assert problems(folder, text)


def test_an_unreadable_file_is_named(folder: Path) -> None:
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


def test_a_public_host_without_a_token_is_read(folder: Path) -> None:
    """The token may come from the environment, and `radio play` needs none."""
    assert load(write(folder, MINIMAL + "server: {host: 0.0.0.0}\n")).server == ServerSettings(host="0.0.0.0")


def test_a_merge_is_one_mistake_named_with_its_line(folder: Path) -> None:
    text = MINIMAL.replace("chill:", "chill: &chill") + "  study:\n    <<: *chill\n"
    assert problems(folder, text) == ["9: study: merges (<<) are not supported; write the settings out"]


def test_the_working_directory_takes_precedence_over_the_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert default_path() == STATIONS
    write(folder, MINIMAL)
    assert list(load().stations) == ["chill"]


def comment_on(name: str, *, is_control: bool = False) -> str:
    """Return the comment on a setting in the shipped file, which may span several lines."""
    text = STATIONS.read_text(encoding="utf-8")
    lines = (text.partition("    controls:\n")[2] if is_control else text).splitlines()
    start = next(at for at, line in enumerate(lines) if re.match(rf" *(# +)?(- )?{name}:( |$)", line))
    below = takewhile(lambda line: re.match(r" +(# +)?# (?!\w+: )", line), lines[start + 1 :])
    return " ".join(line.rpartition("# ")[2] for line in (lines[start], *below))


@pytest.mark.parametrize("owner", [ServerSettings, StationSettings, Tone, Controls, PushSettings])
def test_the_shipped_file_shows_every_setting_with_its_default(owner: type) -> None:
    settings = settings_in(PUSH) if owner is PushSettings else settings_of(owner)
    sections = {"tone", "ambience", "controls"} if owner is StationSettings else set()
    for name in settings.keys() - {"name", *sections}:
        default = settings[name].default_text.strip("[]")
        comment = comment_on(name, is_control=owner is Controls)
        assert re.search(rf"\[{re.escape(default)}[]:]", comment), f"{name}: the default {default} is not in: {comment}"


def test_the_shipped_progressions_are_valid() -> None:
    stations = yaml.safe_load(STATIONS.read_text(encoding="utf-8"))["stations"]
    assert {"chill", "study"} <= set(stations)
    for station in stations.values():
        progressions = station.get("progressions", LEARNED)
        for bar in chain.from_iterable(() if progressions == LEARNED else progressions):
            assert parse_bar(bar)


def test_the_shipped_file_loads() -> None:
    assert {"chill", "study"} <= set(load(STATIONS).stations)


def test_the_first_station_shows_the_default_tone_except_for_its_balance() -> None:
    usual = Tone()
    shown = load(STATIONS).stations["chill"].tone
    assert replace(shown, keys_db=usual.keys_db, bass_db=usual.bass_db, gain_db=usual.gain_db) == usual


def test_a_burst_for_one_format_leaves_the_others_unchanged(folder: Path) -> None:
    config = load(write(folder, MINIMAL + "server: {burst: {mp3: 4}}\n"))
    assert config.server.burst == {"opus": 22.0, "mp3": 4.0, "aac": 22.0}


def test_settings_are_imported_without_heavy_packages() -> None:
    modules = ("config", "controls", "push", "reference", "server", "station", "tone")
    code = f"import sys\nfrom radio.settings import {', '.join(modules)}\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(result.stdout.split()) & {"numpy", "scipy", "torch", "aiohttp", "av", "msgspec", "rich"}


def test_missing_files_can_be_allowed(folder: Path) -> None:
    (folder / "font.sf2").unlink()
    config = load(write(folder, MINIMAL), allow_missing=True)
    assert config.stations["chill"].soundfont == folder / "font.sf2"
    (warning,) = config.warnings
    assert warning.startswith(f"{folder / 'stations.yaml'}:6: there is no soundfont {folder / 'font.sf2'}")
    assert warning.endswith("textures play until there is one")
