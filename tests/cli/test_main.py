"""The command line: its messages and exit statuses."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from radio import __version__
from radio.cli.arguments import print_drawn_seed, station_settings
from radio.cli.main import main, parse
from radio.paths import CHECKPOINTS, STATIONS
from radio.settings.config import RadioConfig, load
from radio.settings.controls import CONTROLS
from radio.settings.station import StationSettings
from tests.conftest import Radio


def errors(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    """Return the exit status and the lines on stderr. Stdout must be empty."""
    status = main(arguments)
    out, err = capsys.readouterr()
    assert out == ""
    return status, err.splitlines()


def test_help_shows_examples_and_imports_no_heavy_package() -> None:
    code = "import sys\nfrom radio.cli.main import main\ntry:\n    main(['--help'])\nfinally:\n    print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for word in (
        "play",
        "serve",
        "render",
        "stations",
        "controls",
        "check",
        "doctor",
        "examples:",
        "--seed",
        "--output",
        "--set",
    ):
        assert word in result.stdout
    loaded = set(result.stdout.splitlines()[-1].split())
    assert not loaded & {"numpy", "scipy", "av", "aiohttp", "rich", "yaml", "torch", "sounddevice"}


def test_matrix_products_start_no_threads_and_scipy_is_not_imported() -> None:
    code = (
        "import os, sys\nfrom radio.cli.main import main\nmain(['stations'])\nimport radio.station.station\n"
        "print(len(os.listdir('/proc/self/task')), 'scipy' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert result.stdout.splitlines()[-1] == "1 False"


def test_the_version_is_that_of_the_package(radio: Radio) -> None:
    assert radio("--version").stdout.decode() == f"radio {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("serv", "radio has no command serv. Did you mean 'serve'? (see radio --help)"),
        ("--station chil", "there is no station 'chil'. Did you mean 'chill'? Stations: chill, study"),
        ("--station chill --format mp3", "--format requires --output -"),
        ("--station chill --output song.wav", "to write a file: radio render"),
        ("--station chill --output - --format aac", "invalid choice: 'aac'"),
        ("--station chill --seconds 0", "'0' is not a number above 0"),
        ("--station chill --seconds nan", "'nan' is not a number above 0"),
        ("--station chill --seed -1", "'-1' is not a whole number from 0"),
        ("--station chill --seed 1.5", "'1.5' is not a whole number from 0"),
        ("--station chill --set tempo", "--set tempo: write CONTROL=VALUE"),
        ("--station chill --set tempo=300", "tempo: 300 is not a number from 50 to 110 BPM"),
        ("--station chill --set tempo=fast", "tempo: 'fast' is not a number from 50 to 110 BPM"),
        ("--station chill --set temp=80", "there is no control 'temp'. Did you mean 'tempo'?"),
        ("--station chill --set keys_mute=1", "keys_mute: 1 is not true or false"),
        ("render song.mid", "name the station with --station NAME: chill, study"),
        ("render --station chill", "the following arguments are required: file"),
        ("render --station chill --minutes -1 song.mid", "'-1' is not a number above 0"),
        ("render --station chill song.ogg", "unsupported file type '.ogg'; use .mid, .wav"),
        ("render --station chill --minutes 1e-9 song.wav", "--minutes 1e-09: less than a second"),
        (
            "render --station chill --minutes 3 --bars 8 song.wav",
            "--bars and --minutes cannot be combined; use one of --tracks, --bars and --minutes",
        ),
        ("render --station chill --tracks 1 --bars 8 song.wav", "--tracks and --bars cannot be combined"),
        ("render --station chill --tracks 0 song.wav", "'0' is not a whole number from 1 to 1000"),
        ("render --station chill --minutes 400 song.wav", "--minutes 400: an audio file holds at most 360 minutes"),
        ("render --station chill --instrument vibrafon song.wav", "Did you mean 'Vibraphone'?"),
        ("render --station chill --count 0 song.wav", "'0' is not a whole number from 1 to 1000"),
        ("--station chill --output - stations", "radio stations does not take --station, --output (see radio stations"),
        ("--station chill --seed 0 serve", "radio serve does not take --station"),
        ("--set tempo=72 check", "radio check does not take --set"),
        ("--format wav doctor", "radio doctor does not take --format"),
        ("--seconds 3 render --station chill song.wav", "radio render does not take --seconds"),
        ("--set tempo=1 render --station chill --set swing=0 song.wav", "tempo: 1 is not a number"),
        ("--statoin chill", "radio has no option --statoin. Did you mean '--station'? (see radio --help)"),
        ("--station chill --seconds=1 --fromat mp3", "radio has no option --fromat. Did you mean '--format'?"),
        ("serve --hots a", "radio serve has no option --hots. Did you mean '--host'? (see radio serve --help)"),
        ("--station serve --sede 1", "radio has no option --sede. Did you mean '--seed'?"),
        ("play --stat", "radio play has no option --stat"),
        ("play --station chil", "there is no station 'chil'. Did you mean 'chill'?"),
        ("play --output song.wav", "to write a file: radio render"),
        ("check extra", "unrecognized arguments: extra (see radio check --help)"),
        ("state exprt", "Did you mean 'export'? (see radio state --help)"),
        ("survey --seed x .", "'x' is not a whole number from 0"),
        (
            "serve --host http://localhost",
            "host: 'http://localhost' is not a host name or IP address; leave out 'http://'",
        ),
        ("serve --port 70000", "'70000' is not a port from 0 to 65535"),
        ("serve --host 0.0.0.0", "control_token"),
        ("check --config nowhere.yaml", "nowhere.yaml: cannot be read: No such file or directory"),
    ],
)
def test_a_mistake_gives_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONTROL_TOKEN", raising=False)
    status, lines = errors(capsys, *arguments.split())
    assert status == 2
    assert len(lines) == 1
    assert lines[0].startswith("radio: ")
    assert message in lines[0]
    assert list(tmp_path.iterdir()) == []


def test_a_config_with_three_mistakes_gets_three_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "stations.yaml"
    path.write_text(
        "stations:\n  chill:\n    titel: Chill\n    progressions: [[H]]\n    title: C\n    seed: no\n", encoding="utf-8"
    )
    status, lines = errors(capsys, "check", "--config", str(path))
    assert status == 2
    assert [line.split(": ")[1] for line in lines] == [f"{path}:3", f"{path}:4", f"{path}:6"]


def test_check_and_stations_read_the_shipped_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 0
    assert capsys.readouterr().out.startswith(f"{STATIONS}: valid, 7 stations: chill, study")
    assert main(["stations"]) == 0
    assert capsys.readouterr().out.startswith("chill     Chill: ")


def test_options_may_come_before_or_after_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = str(tmp_path / "gone.yaml")
    for arguments in (["--config", path, "check"], ["check", "--config", path]):
        assert errors(capsys, *arguments)[1] == [f"radio: {path}: cannot be read: No such file or directory"]


def test_radio_without_a_station_plays_the_first_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    played: list[tuple[str, int, float]] = []

    def play(_config: RadioConfig, settings: StationSettings, **_options: object) -> None:
        played.append((settings.name, settings.seed, settings.controls.tempo))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("radio.cli.play.play", play)
    for words in ([], ["play"], ["play", "--station", "study", "--seed", "9"], ["--seed", "8", "--set", "tempo=60"]):
        assert main(words) == 0
    assert main(["--seed", "8", "--set", "tempo=60", "play", "--set", "swing=54"]) == 0
    assert [(name, tempo) for name, _, tempo in played[:2]] == [("chill", 78), ("chill", 78)]
    assert played[0][1] != played[1][1]  # without --seed, each start draws a different one
    assert played[2:] == [("study", 9, 70), ("chill", 8, 60), ("chill", 8, 60)]


def test_stations_and_controls_are_listed_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["stations", "--json", "--config", config_with(tmp_path, "description: Tést")]) == 0
    assert json.loads(capsys.readouterr().out) == [{"name": "own", "title": "Own", "description": "Tést"}]
    assert main(["controls", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(CONTROLS)
    assert (rows["tempo"]["low"], rows["tempo"]["high"], rows["tempo"]["unit"], rows["tempo"]["default"]) == (
        50,
        110,
        "BPM",
        80,
    )
    assert rows["mood"]["choices"][0] == "any"


def test_controls_lists_every_control_with_its_values_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["controls"]) == 0
    text = capsys.readouterr().out
    for name, control in CONTROLS.items():
        assert re.search(
            rf"^  {name} .*\[{re.escape(control.setting.default_text)}\] .*{control.help}$", text, re.MULTILINE
        ), name
    assert "50 to 110 BPM [80]" in text


def test_a_warning_about_the_config_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("stations: {own: {title: Own, progressions: 'learnt'}}\n", encoding="utf-8")
    for command in ("check", "stations"):
        assert main([command, "--config", str(path)]) == 0
        warning = f"radio: warning: {path}:1: progressions: 'learnt' is now spelled 'learned'\n"
        assert capsys.readouterr().err == warning


def config_with(tmp_path: Path, line: str) -> str:
    path = tmp_path / "own.yaml"
    path.write_text(
        f"stations:\n  own:\n    title: Own\n    progressions: [[Am7, Dm7]]\n    {line}\n", encoding="utf-8"
    )
    return str(path)


@pytest.mark.parametrize("setting", ["piano", "drums", "soundfont"])
def test_a_file_of_the_wrong_type_is_named_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, setting: str
) -> None:
    (tmp_path / "foreign").write_bytes(b"\x10\0\0\0\0\0\0\0not what it should be" * 40)
    config = config_with(tmp_path, f"{setting}: foreign")
    status, lines = errors(capsys, "render", "--config", config, "--station", "own", str(tmp_path / "a.wav"))
    assert status == 1
    assert len(lines) == 1
    assert str(tmp_path / "foreign") in lines[0]
    assert not (tmp_path / "a.wav").exists()


def test_check_and_doctor_name_every_unplayable_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(random.Random(1).randbytes(3000))
    piano = CHECKPOINTS / "piano.safetensors"
    config = config_with(tmp_path, f"piano: noise\n    drums: {piano}\n    soundfont: noise")
    status, lines = errors(capsys, "check", "--config", config)
    assert status == 2
    starts = [f"radio: {config}: own: {setting}: " for setting in ("soundfont", "piano", "drums")]
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))
    assert "is not a soundfont" in lines[0]
    assert f"{tmp_path / 'noise'}: corrupt or not safetensors" in lines[1]
    assert "this is a piano model; use a drums model" in lines[2]
    assert main(["doctor", "--config", config]) == 1
    ill = capsys.readouterr().out
    assert all(f"MISS  {line.removeprefix(f'radio: {config}: ')}" in ill for line in lines)


def test_check_says_station_in_the_singular_for_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = config_with(tmp_path, "seed: 3")
    assert main(["check", "--config", config]) == 0
    assert capsys.readouterr().out == f"{config}: valid, 1 station: own\n"


def test_a_missing_soundfont_is_named_with_a_remedy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, lines = errors(capsys, "check", "--config", config_with(tmp_path, "soundfont: gone.sf2"))
    assert status == 2
    assert len(lines) == 1
    assert lines[0].startswith(f"radio: {tmp_path}/own.yaml:5: own: soundfont: there is no soundfont {tmp_path}/gone")
    assert lines[0].endswith("leave the setting out for the radio's own, or name another SF2 or SF3 file")


def test_doctor_lists_present_and_missing_parts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"]) == 0
    healthy = capsys.readouterr().out
    stations = ", ".join(load(STATIONS).stations)
    files = [f"{stations}: {setting}" for setting in ("soundfont", "piano", "drums", "chords", "bass")]
    for name in ("Python", "ffmpeg", "libfluidsynth", "config", *files):
        assert f"ok    {name}: " in healthy
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "stations.yaml").write_text("stations: {a: {style: soul}}\n", encoding="utf-8")
    assert main(["doctor"]) == 1
    ill = capsys.readouterr().out
    assert "MISS  ffmpeg: not on PATH; writes .mp3, .opus and .flac files: apt install ffmpeg" in ill
    assert "MISS  config: stations.yaml:1: a: title is missing" in ill


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ZeroDivisionError("division\nby zero"), "ZeroDivisionError: division by zero"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a/b"), "a/b: No such file or directory"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError("no pipes"), "no pipes"),
    ],
)
def test_an_unexpected_error_gives_one_line_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    def broken(path: Path | None, **_options: object) -> None:
        raise error

    monkeypatch.setattr("radio.settings.config.load", broken)
    assert errors(capsys, "stations") == (1, [f"radio: {line}"])


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("controls >/dev/full", 1, "radio: No space left on device\n"),
        ("controls >&3", 0, ""),  # a pipe that is not read
        ("nonsense 2>/dev/full", 2, ""),
        ("play --output - >&-", 2, "radio: --output -: standard output is closed; pipe it, as in "),
    ],
)
def test_output_that_cannot_be_written_is_reported_once(words: str, status: int, message: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    script = f"exec 3> >(:); wait $!; exec {sys.executable} -m radio {words}"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == status
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == bool(message)


def test_a_busy_port_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.socket() as blocker:
        blocker.bind(("127.0.0.1", 0))
        blocker.listen()
        port = blocker.getsockname()[1]
        status, lines = errors(capsys, "serve", "--port", str(port))
    assert status == 1
    assert len(lines) == 1
    assert f"port {port} on 127.0.0.1 is in use" in lines[0]


@pytest.mark.usefixtures("started_programs")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_its_address_and_ends_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    config = config_with(tmp_path, "seed: 3")
    command = [sys.executable, "-m", "radio", "serve", "--config", config, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stderr is not None
            assert server.stdout.readline() == b"On the air:\n"
            assert server.stdout.readline().startswith(b"  http://127.0.0.1:")
            server.send_signal(number)
            assert server.wait(timeout=90) == 0
            # SIGTERM shuts down cleanly and logs it.
            logged = server.stderr.read().splitlines()
            lines = [line.partition(b"radio.server: ")[2] for line in logged if b"radio.server: " in line]
            stations = b"on the air: own"
            assert lines == [stations] if number == signal.SIGINT else [stations, b"stopping"]
        finally:
            server.kill()


def test_an_omitted_seed_is_drawn_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    def seed_of(words: str) -> int:
        return station_settings(parse(words.split()), load(STATIONS)).seed

    drawn = [seed_of("play --station chill") for _ in range(2)]
    assert drawn[0] != drawn[1]
    assert seed_of("play --station chill --seed 7") == 7
    for words, printed in (("render --station chill", True), ("render --station chill --seed 7", False)):
        arguments, config = parse([*words.split(), "a.mid"]), load(STATIONS)
        settings = station_settings(arguments, config)
        print_drawn_seed(arguments, config, settings)
        assert (f"chill began from seed {settings.seed}" in capsys.readouterr().err) is printed


def test_seed_0_draws_a_seed_and_prints_it_even_if_the_config_has_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = load(Path(config_with(tmp_path, "seed: 3")))
    for words, printed in (("", False), ("--seed 0", True)):
        arguments = parse(["render", "--station", "own", *words.split(), "a.mid"])
        settings = station_settings(arguments, config)
        print_drawn_seed(arguments, config, settings)
        assert (f"own began from seed {settings.seed}" in capsys.readouterr().err) is printed
