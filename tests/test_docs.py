"""The documentation: command lines can be pasted, links have targets, and every decision is listed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.__main__ import SECTIONS
from radio.cli import main as cli
from radio.cli.arguments import load_config, station_settings
from tests.pasted_commands import PAGES, ROOT, Command, commands_of, inline_commands_of
from tests.ports import free_port
from tests.push.servers import KEY, icecast, nginx
from train.cli.main import create_parser

COMMANDS = [command for page in PAGES for command in commands_of(page)]
INLINE = [command for page in PAGES for command in inline_commands_of(page)]

QUICK = r"radio (stations|controls|check|prompt)\b"
_NEEDS_MORE = r"--against|--judge|--prompt-via|--prime|my-survey|(tracks|later)/"
RENDERING = rf"radio (render|originality|score|compare)\b(?!.*({_NEEDS_MORE}))"
PIPES = r"radio .*--output -"
PLAYING = r"radio( play)?( --station \w+)?( --prompt \"[^\"]*\")?( --set \S+)*\s*(#.*)?$"
PUSHES = r"radio push\b"
SERVER = r"radio serve\b|RADIO=|(curl|mpv) .*(\$RADIO|localhost:8000)"
GUIDE = r"mkdir -p my-midi|radio .*(my-midi|mine)"
"""Run by tests/train/test_guide.py."""
NOT_RUN = {
    r"radio survey|radio render .*my-survey|mkdir -p my-survey": "tests/cli/test_survey.py serves a survey",
    r"radio score .*--(against|judge)": "needs the reader's recordings, or a server",
    r"hf download|radio .*--prompt-via": "needs MusicGen weights; tests/cli/test_musicgen.py has a stand-in",
    r"mkdir -p tracks|radio render .*(tracks|later)/": "composes hundreds of tracks; tests/train compares such models",
    r"radio .*--prime": "needs a MIDI file from the reader; tests/cli/test_prime.py renders from one",
    r"docker ": "needs a container engine",
    r"git clone|curl -LO https:|unzip ": "downloads a corpus",
    r"(\w+=\S+ )*(\S*/)?python -m train": "needs a corpus or a long training; test_guide.py runs the first recipe",
    r"(\S*/)?(python -m )?(pip|pre-commit) |PIP_CONSTRAINT": "installs packages",
    r"(\S*/)?python -m (bench|pytest)|pytest ": "a long measurement, or the tests themselves",
    r"(\S*/)?python scripts/": "part of the checks of `make lint`",
    r"make ?": "test_make_targets_exist lists them; CI runs them",
    r"\. \.venv/bin/activate": "changes the shell",
    r"install -m 600": "opens an editor",
    r"radio state": "needs a radio that ran before; tests/cli runs it",
    r"radio doctor": "depends on the machine; tests/cli runs it",
}
RUN = [QUICK, RENDERING, PIPES, PLAYING, PUSHES, SERVER, GUIDE]


def matching(pattern: str) -> list[Command]:
    chosen = [command for command in COMMANDS if re.match(pattern, command.text)]
    assert chosen
    return chosen


def check_radio(words: list[str]) -> None:
    """Parse the arguments of `radio`, and check their station and controls."""
    arguments = cli.parse(words)
    if arguments.command in (None, "play", "render", "push") and arguments.config is None:
        station_settings(arguments, load_config(None), default="chill")


@pytest.mark.parametrize("command", COMMANDS + INLINE, ids=str)
def test_arguments_are_accepted(command: Command) -> None:
    for words in command.programs:
        if Path(words[0]).name == "radio":
            check_radio(words[1:])
        elif words[1:3] == ["-m", "train"]:
            create_parser().parse_args(words[3:]) if words[3:] != ["--help"] else None
            for path in words:
                assert not path.startswith("configs/") or (ROOT / path).exists()
        elif words[1:3] == ["-m", "bench"]:
            assert words[3] in SECTIONS
            assert all(word in SECTIONS or word.startswith("--") for word in words[3:5])


def test_every_command_line_is_run_or_has_a_reason_not_to_run() -> None:
    for command in COMMANDS:
        patterns = [pattern for pattern in (*RUN, *NOT_RUN) if re.match(pattern, command.text)]
        assert patterns, f"{command}: no test runs '{command.text}'"


def test_command_lines_are_valid_shell() -> None:
    script = "\n".join(command.text for command in COMMANDS)
    result = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_make_targets_exist() -> None:
    programs = [words for command in COMMANDS + INLINE for words in command.programs]
    targets = {word for words in programs if words[0] == "make" for word in words[1:] if "=" not in word}
    assert {"radio", "test"} <= targets
    makefile = (ROOT / "Makefile").read_text()
    for target in targets:
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize(
    "page", [*PAGES, *ROOT.glob("docs/decisions/*.md"), *ROOT.glob("*.md")], ids=lambda page: page.name
)
def test_relative_links_have_targets(page: Path) -> None:
    for target in re.findall(r"]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_architecture_page_stays_short_and_has_one_graph() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 2_000
    assert text.count("```mermaid") == 1


def test_every_decision_is_listed() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text()
    for page in ROOT.glob("docs/decisions/0*.md"):
        assert f"({page.name})" in index


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


class Shell:
    """Runs command lines in an empty folder, with the checkout's `radio` and `python` on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = folder / ".venv/bin"
        programs.mkdir(parents=True)
        (programs / "radio").write_text(f'#!/bin/sh\nexec {sys.executable} -m radio "$@"\n')
        (programs / "radio").chmod(0o755)
        (programs / "python").symlink_to(sys.executable)
        card = folder / "asound.conf"
        card.write_text("pcm.!default {type null}\nctl.!default {type null}\n")
        self.environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{card}",
            "TWITCH_KEY": KEY,
            "ICECAST_PASSWORD": KEY,
        }

    def run(self, text: str, *, before: str = "", statuses: tuple[int, ...] = (0,)) -> str:
        """Run a command line that must exit with one of `statuses`, and return its output."""
        result = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{before}\n{text}"],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip
        assert result.returncode in statuses, f"{text}\n{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.stderr
        return result.stdout

    def start(self, text: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", "-c", f"exec {text}"], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


def test_quick_commands_run(shell: Shell) -> None:
    for command in matching(QUICK):
        if "mine.yaml" not in command.text:
            assert shell.run(command.text)


@pytest.mark.slow
def test_rendering_commands_run(shell: Shell) -> None:
    for command in matching(RENDERING):
        if not re.match(GUIDE, command.text):
            shell.run(re.sub(r"(?<=--minutes )\S+", "0.2", command.text).replace("--count 4", "--count 2"))
    assert len(list(shell.folder.glob("song*.mp3"))) == 3


@pytest.mark.slow
def test_pipes_run(shell: Shell) -> None:
    for command in matching(PIPES):
        shell.run(command.text.replace("--seconds 60", "--seconds 2"))
    assert (shell.folder / "minute.m4a").stat().st_size > 20_000
    assert (shell.folder / "minute.mp3").stat().st_size > 20_000


@pytest.mark.slow
def test_stations_play_on_the_sound_card(shell: Shell) -> None:
    for command in matching(PLAYING):
        words = shlex.split(command.text, comments=True)
        assert "BPM" in shell.run(shlex.join([*words, "--seconds", "2"]))


@contextmanager
def served(shell: Shell) -> Iterator[int]:
    """Run the docs' `radio serve` on a free port until its first station has played for a while."""
    (command, *_) = matching(r"radio serve --port")
    port = free_port()
    server = shell.start(re.sub(r"(?<=--port )\d+", str(port), command.text))
    try:
        ready = f"curl --fail -sS http://localhost:{port}/readyz"
        deadline = time.monotonic() + 90
        while subprocess.run(shlex.split(ready), capture_output=True, check=False).returncode:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        time.sleep(4)  # exports need music that has aired
        yield port
    finally:
        server.terminate()
        server.communicate(timeout=30)


@pytest.mark.slow
def test_commands_of_the_api_run(shell: Shell) -> None:
    limits = (
        'curl() { command curl --fail -sS --max-time 100 "$@"; }\n'
        'mpv() { command mpv --really-quiet --ao=null --length=1 "$@"; }\n'
    )
    shell.run("radio render --station chill --minutes 0.3 song.mp3 song.mid")  # a listener's files
    shell.run("ffmpeg -loglevel error -i song.mp3 humming.ogg")
    with served(shell) as port:
        before = f"{limits}RADIO=http://localhost:{port}"
        for command in matching(SERVER):
            if command.text.startswith(("radio serve", "RADIO=")):
                continue
            text = command.text.replace("localhost:8000", f"localhost:{port}").replace("track%20Piano", "track%20keys")
            endless = "curl -N" in text
            shell.run(
                text.replace("curl -N", "curl -N --max-time 3"), before=before, statuses=(28,) if endless else (0,)
            )
    assert list(shell.folder.glob("*.flac"))


@pytest.mark.slow
def test_pushes_arrive(shell: Shell) -> None:
    for name in ("twitch.key", "youtube.key", "stream.key", "icecast.password", "user.password"):
        (shell.folder / name).write_text(f"{KEY}\n")
    with nginx() as rtmp, icecast() as audio:
        for command in matching(PUSHES):
            text = re.sub(r"rtmps?://(\w+@)?\S+", rf"rtmp://\g<1>127.0.0.1:{rtmp.port}/live", command.text)
            text = re.sub(r"(?<=icecast://)([\w.]+@)?[\w.]+:8000", rf"\g<1>127.0.0.1:{audio.port}", text)
            if "--key" not in text:  # a terminal is asked for it: tests/cli/test_push.py
                text = text.replace("radio push", "radio push --key-env TWITCH_KEY")
            process = shell.start(text)
            try:
                output = ""
                while "connected" not in output:
                    assert process.stdout is not None
                    line = process.stdout.readline()
                    assert line, output
                    output += line
            finally:
                process.terminate()
                process.communicate(timeout=30)
            assert KEY not in output
