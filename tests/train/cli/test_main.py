from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from train.cli.main import COMMANDS, EPILOG, create_parser, main

COMMAND_LINE = re.compile(r"^ +(?:[A-Z_]+=\S+ )*python -m train (.*)$", re.MULTILINE)


def command_lines() -> list[str]:
    return COMMAND_LINE.findall("".join([EPILOG, *(command.EXAMPLES for command in COMMANDS.values())]))


def subparsers() -> dict[str, argparse.ArgumentParser]:
    (commands,) = (action for action in create_parser()._actions if action.dest == "command")
    assert isinstance(commands.choices, dict)
    return commands.choices


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_of_itself(name: str) -> None:
    assert f"  python -m train {name} " in COMMANDS[name].EXAMPLES.replace("OMP_NUM_THREADS=1 ", "")


@pytest.mark.parametrize("line", command_lines())
def test_every_example_can_be_pasted(line: str) -> None:
    assert create_parser().parse_args(shlex.split(line, comments=True)).command in COMMANDS


def test_every_option_has_a_help_text() -> None:
    without_help = [
        f"{name} {action.dest}"
        for name, command in subparsers().items()
        for action in command._actions
        if not action.help
    ]
    assert without_help == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_explains_it_and_shows_examples(name: str) -> None:
    text = subparsers()[name].format_help()
    assert (COMMANDS[name].__doc__ or "").splitlines()[0] in text
    assert f"examples:\n{COMMANDS[name].EXAMPLES}".rstrip() in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["listen", "--all", "--hours", "x"], "argument --hours: x is not a number above 0"),
        (["listen", "--all", "--hours", "nan"], "argument --hours: nan is not a number above 0"),
        (["prime", "--renders", "1.5"], "argument --renders: 1.5 is not a whole number of at least 1"),
        (["bass", "t.csv", "--out", "b", "--epochs", "0"], "argument --epochs: 0 is not a whole number of at least 1"),
        (["prepare", "folder", "a", "b", "--channel", "ten"], "argument --channel: ten is not a channel from 1 to 16"),
    ],
)
def test_a_wrong_number_is_reported_with_what_would_be_right(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "none.yaml", "run"], "none.yaml: cannot be read"),
        (["prepare", "folder", "none", "out"], "none: no such file or folder"),
        (["card", "none.safetensors", "metrics"], "metrics: write NAME=FILE.json"),
        (["tunes", "taken"], "taken: File exists"),
        (["evaluate", "mine.safetensors"], "mine.safetensors: an exported model needs --corpus FOLDER"),
        (["evaluate", "mine.safetensors", "--corpus", "c", "--plot", "p.png"], "--plot: an exported model has no"),
        (["evaluate", "runs/mine", "--styles", "jazz"], "--styles is for an exported drum model"),
    ],
)
def test_an_error_is_reported_in_one_line(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("music21.corpus.getComposer", lambda _: [])
    Path("taken").write_text("a file where a folder should be")
    assert main(words) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(message)
