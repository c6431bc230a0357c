from __future__ import annotations

import sys
from pathlib import Path

import pytest

from train.__main__ import _COMMANDS, main
from train.cli.arguments import EXAMPLES, parser


def test_every_command_stands_among_the_examples() -> None:
    assert [name for name in _COMMANDS if f"  python -m train {name} " not in EXAMPLES] == []


@pytest.mark.parametrize("line", [line for line in EXAMPLES.splitlines() if line.startswith("  python")])
def test_every_example_is_understood(line: str) -> None:
    words = line.strip().partition("   ")[0].split()
    assert parser().parse_args(words[3:]).command in _COMMANDS


def test_every_option_says_what_it_is() -> None:
    (commands,) = (action for action in parser()._actions if action.dest == "command")
    assert isinstance(commands.choices, dict)
    silent = [
        f"{name} {action.dest}"
        for name, command in commands.choices.items()
        for action in command._actions
        if not action.help
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fit", "none.yaml", "run"], "none.yaml: cannot be read as YAML"),
        (["prepare", "folder", "none", "out"], "none: no such file or folder"),
        (["card", "none.safetensors", "metrics"], "metrics: write NAME=FILE.json"),
        (["tunes", "taken"], "taken: File exists"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("music21.corpus.getComposer", lambda _: [])
    monkeypatch.setattr(sys, "argv", ["train", *words])
    Path("taken").write_text("a file where a folder should be")
    assert main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said)
