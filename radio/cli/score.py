"""`radio score`: measures and a learned judgment of audio files, compared with a folder of references."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from radio.cli.exit_codes import OK
from radio.music.names import shown_name

if TYPE_CHECKING:  # `radio --help` imports neither numpy nor rich
    from radio.judge.score import Comparison, OnFile, Score
    from radio.judge.tagger import Tagger
    from radio.types import JsonValue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", type=Path, nargs="+", help="audio file: .wav .flac .mp3 .opus and others")
    add_references(parser)
    parser.add_argument(
        "--artifacts",
        action="store_true",
        help="add DNSMOS scores of noise and distortion; needs the extra `artifacts`",
    )
    parser.add_argument(
        "--judge",
        metavar="URL",
        help="also ask an audio language model at this address, such as http://localhost:8000/v1; JUDGE_KEY in the "
        "environment is sent as its key",
    )
    parser.add_argument("--judge-model", default="default", metavar="NAME", help="name of that model [default]")
    parser.add_argument("--words", metavar="TEXT", help="description that the music should match, for --judge")
    parser.add_argument("--json", action="store_true", help="print JSON, a line for each file")


def add_references(parser: argparse.ArgumentParser) -> None:
    """Add `--against`."""
    parser.add_argument(
        "--against", type=Path, metavar="FOLDER", help="compare with the audio files in this folder, your references"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from radio.judge import table
    from radio.judge.score import score
    from radio.judge.tagger import load

    more = Extras(arguments)
    check_inputs(arguments.file, arguments.against)
    tagger = load()
    with progress() as on_file:
        scores = []
        for path in arguments.file:
            on_file(path)
            scores.append(score(path, tagger))
        references, comparisons = compare_with(arguments.against, scores, tagger, on_file)
        extras = [more.judge(one) for one in scores]
    if arguments.json:
        pairs: Sequence[Comparison | None] = comparisons or [None] * len(scores)
        for one, comparison, extra in zip(scores, pairs, extras, strict=True):
            print(json.dumps({**table.as_json(one, tagger.names, comparison), **extra}, ensure_ascii=False))
        return OK
    print(table.markdown(scores, tagger.names, references, comparisons))
    print_baseline(references)
    for one, extra in zip(scores, extras, strict=True):
        for name, value in extra.items():
            print(f"{shown_name(one.path)}: {name}: {value}")
    return OK


class Extras:
    """The optional judges: DNSMOS and an audio language model.

    Raises:
        JudgeError: A package is missing.
        SettingsError: The address is not valid, or `--words` is given without `--judge`.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        from radio.errors import SettingsError
        from radio.judge.artifacts import Dnsmos
        from radio.judge.language_model import LanguageModel

        if arguments.words is not None and arguments.judge is None:
            raise SettingsError("--words is for the model of --judge; add --judge URL")
        self._words = arguments.words
        self._dnsmos = Dnsmos() if arguments.artifacts else None
        self._model = None
        if arguments.judge is not None:
            self._model = LanguageModel(arguments.judge, arguments.judge_model, os.environ.get("JUDGE_KEY"))

    def judge(self, one: Score) -> dict[str, JsonValue]:
        """Return the figures by name; empty if no option asks for any."""
        from radio.audio.decoding import read

        figures: dict[str, JsonValue] = {}
        if self._dnsmos:
            figures |= {
                f"DNSMOS {name}": round(value, 2) for name, value in self._dnsmos.judge(one.mono)._asdict().items()
            }
        if self._model:
            opinion = self._model.judge(read(one.path), self._words)
            figures |= {f"judge: {name}": value for name, value in opinion.scores.items()}
            figures |= {"judge: comment": opinion.comment} if opinion.comment else {}
        return figures


def check_inputs(files: Sequence[Path], references: Path | None) -> None:
    """Raise an error if there is no such file or folder of references, before any file is read, which takes long."""
    from radio.errors import AudioError
    from radio.judge.score import check_folder

    for path in files:
        if not path.exists():
            raise AudioError(f"{path}: no such file")
    if references is not None:
        check_folder(references)


def compare_with(
    folder: Path | None, scores: Sequence[Score], tagger: Tagger, on_file: OnFile
) -> tuple[list[Score], list[Comparison]]:
    """Return the references in a folder and the comparison of each recording with them; empty without a folder."""
    from radio.judge import score

    if folder is None:
        return [], []
    references = score.references(folder, tagger, on_file)
    return references, [score.compare([one], references) for one in scores]


def print_baseline(references: Sequence[Score]) -> None:
    """Print the Fréchet distance between the halves of the references, if there are any."""
    from radio.judge.score import halves
    from radio.judge.table import decimal

    if references:
        print(f"\nFréchet distance between the halves of the references: {decimal(halves(references), 1)}")


@contextmanager
def progress() -> Iterator[OnFile]:
    """Show the file that is being read on standard error, if that is a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("reading") as status:
        yield lambda path: status.update(shown_name(path))
