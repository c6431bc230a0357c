"""`radio survey`: a page where listeners compare pairs of passages, and the report of their answers."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from radio.cli.arguments import check_target, count, load_config, port, positive, seed
from radio.cli.exit_codes import OK
from radio.cli.signals import run_until_stopped

if TYPE_CHECKING:  # `radio --help` imports no numpy
    from radio.server.survey.pairs import Pair
    from radio.server.survey.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "source",
        type=Path,
        help="folder that has a folder of recordings for each condition, with the same names, and NAME.txt with words; "
        "or a config like stations.yaml, whose stations are the conditions",
    )
    parser.add_argument(
        "--passages",
        type=count,
        default=4,
        metavar="N",
        help="passages of each station of a config, from seeds 1 to N [4]",
    )
    parser.add_argument("--title", default="Listening survey", help="title of the page [Listening survey]")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on [127.0.0.1]")
    parser.add_argument("--port", type=port, default=8010, help="port to listen on, 0 for any free one [8010]")
    parser.add_argument(
        "--seed", dest="order_seed", type=seed, default=0, metavar="N", help="seed of the listeners' orders [0]"
    )
    parser.add_argument("--pairs", type=count, default=12, metavar="N", help="maximum pairs per listener [12]")
    parser.add_argument(
        "--seconds",
        dest="length",
        type=positive,
        default=30.0,
        metavar="N",
        help="length of the passages, from the beginning [30]",
    )
    parser.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="SQLite file of the answers [answers.sqlite in the folder, or next to the config]",
    )
    parser.add_argument("--report", action="store_true", help="print the results so far instead of serving the page")
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="write the answers so far as CSV instead, - for standard output"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from radio.server.survey.store import Store

    source: Path = arguments.source
    path = arguments.answers or (source if source.is_dir() else source.parent) / "answers.sqlite"
    if arguments.report or arguments.csv:
        _check_answers(path)
        if arguments.csv not in (None, Path("-")):
            check_target(arguments.csv)
        with Store(path) as store:
            _report(store, arguments)
        return OK
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the usual end
        _serve(arguments, path)
    return OK


def _check_answers(path: Path) -> None:
    from radio.errors import SettingsError

    if not path.is_file():
        raise SettingsError(f"{path}: there are no answers yet; name another file with --answers")


def _report(store: Store, arguments: argparse.Namespace) -> None:
    from radio.server.survey.statistics import table
    from radio.server.survey.store import write_csv

    answers = store.answers()
    if arguments.csv == Path("-"):
        write_csv(answers, sys.stdout)
    elif arguments.csv:
        with arguments.csv.open("w", encoding="utf-8", newline="") as file:
            write_csv(answers, file)
    if arguments.report:
        print(table(answers))
        print(f"\n{store.listeners()} visits, {len(answers)} answers")


def _serve(arguments: argparse.Namespace, path: Path) -> None:
    import tempfile

    from radio.server.survey.app import Survey, serve
    from radio.server.survey.passages import prepare
    from radio.server.survey.store import Store

    with tempfile.TemporaryDirectory(prefix="radio-survey-") as name:
        folder = Path(name)
        pairs = _pairs(arguments, folder)
        print(f"Preparing {len(pairs)} pairs", flush=True)
        prepare(pairs, folder, seconds=arguments.length)
        with Store(path) as store:
            survey = Survey(arguments.title, pairs, folder, store, arguments.order_seed, arguments.pairs)

            def on_ready(address: str) -> None:
                print(f"The survey is at {address}\nPress Ctrl-C to stop.", flush=True)

            run_until_stopped(serve(survey, host=arguments.host, port=arguments.port, on_ready=on_ready))


def _pairs(arguments: argparse.Namespace, folder: Path) -> list[Pair]:
    """Return the pairs of a folder, or those of a config, whose stations are rendered to `folder`."""
    from radio.server.survey.pairs import read_pairs

    source: Path = arguments.source
    if source.suffix.lower() not in (".yaml", ".yml"):
        return read_pairs(source)
    from rich.progress import Progress

    from radio.server.survey.stations import render_pairs

    stations = load_config(source).stations
    with Progress(transient=True) as progress:
        task = progress.add_task("rendering", total=1.0)
        return render_pairs(
            stations,
            folder,
            seeds=range(1, arguments.passages + 1),
            seconds=arguments.length,
            on_progress=lambda done: progress.update(task, completed=done),
        )
