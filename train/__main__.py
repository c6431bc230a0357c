"""The training stack's command line: carries out what `train.cli.arguments` understood."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from radio.errors import RadioError, SettingsError
from train.cli.arguments import parser

if TYPE_CHECKING:
    from radio.settings.station import StationSettings


def run(arguments: argparse.Namespace) -> None:
    """Carry out one command; torch is only imported by those that need it."""
    _COMMANDS[arguments.command](arguments)


def _prepare(arguments: argparse.Namespace) -> None:
    from train.data.arrange import pipeline as keyboards
    from train.data.drums import preparation as drumming
    from train.prepare.corpus import prepare

    known = drumming.STAGES if arguments.corpus == "groove" else tuple(keyboards.STAGES)
    report = prepare(
        arguments.corpus,
        arguments.source,
        arguments.out,
        arguments.part,
        stages=keyboards.chosen(arguments.arrange, known) if arguments.arrange else (),
        variants=arguments.variants,
        progressions=arguments.progressions,
    )
    print("\n".join(report.lines()))


def _timing(arguments: argparse.Namespace) -> None:
    from train.metrics.microtiming import measured

    table, words = measured(arguments.source)
    if arguments.out:
        arguments.out.write_text(json.dumps(table, ensure_ascii=False) + "\n")
    print(words)


def _tunes(arguments: argparse.Namespace) -> None:
    from train.data.corpus.tunes import write

    print(f"{write(arguments.collections, arguments.out)} tunes in {arguments.out}")


def _fit(arguments: argparse.Namespace) -> None:
    from train.loop.recipe import load

    recipe = load(arguments.recipe)  # before torch is imported, so that what is wrong with it is said at once

    from train.loop.checkpointing import StoppedError
    from train.loop.fit import fit

    try:
        last = fit(
            recipe,
            arguments.run,
            initial=arguments.initial,
            devices=arguments.devices,
            strategy=arguments.strategy,
            wandb=arguments.wandb,
        )
    except StoppedError as stopped:
        print(stopped, file=sys.stderr)
        raise SystemExit(128 + stopped.signal) from None
    print(last)


def _evaluate(arguments: argparse.Namespace) -> None:
    from train.loop.stored_run import load_module
    from train.metrics.evaluate import evaluate, evaluate_checkpoint, plot_curve

    if arguments.run.suffix == ".safetensors":
        if arguments.corpus is None or arguments.plot is not None:
            raise SettingsError("an exported model is measured on --corpus FOLDER, and has no curve to plot")
        print(json.dumps(evaluate_checkpoint(arguments.run, arguments.corpus, styles=arguments.styles), indent=2))
        return
    if arguments.styles:
        raise SettingsError("--styles is for an exported model")
    figures = evaluate(arguments.run, arguments.corpus)
    (arguments.run / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps({name: value for name, value in figures.items() if name != "curve"}, indent=2))
    if arguments.plot:
        plot_curve(figures, load_module(arguments.run / "last.ckpt").recipe, arguments.plot)


def _export(arguments: argparse.Namespace) -> None:
    from train.export.checkpoint import export

    figures_path = arguments.run / "figures.json"
    export(
        arguments.run / "last.ckpt",
        arguments.out,
        json.loads(figures_path.read_text()) if figures_path.exists() else {},
        arguments.weights,
    )


def _compare(arguments: argparse.Namespace) -> None:
    from train.compare.training import recipes, shortened, train

    if not arguments.train:
        from train.compare.speed import require_one_thread

        require_one_thread()  # said before hours of training rather than after
    found = recipes(arguments.recipes)
    if unknown := set(arguments.train or ()) - set(found):
        raise SettingsError(f"{arguments.recipes}: holds {', '.join(found)}, not {', '.join(sorted(unknown))}")
    for name in arguments.train or found:
        recipe = found[name]
        train(shortened(recipe, arguments.tokens) if arguments.tokens else recipe, arguments.runs / name)
    if not arguments.train:
        from train.compare.measure import measure
        from train.compare.tables import write

        print(write(measure({name: arguments.runs / name for name in found}), arguments.out))


def _card(arguments: argparse.Namespace) -> None:
    from train.export.model_card import add, named

    add(arguments.checkpoint, named(arguments.figures))


def _convert(arguments: argparse.Namespace) -> None:
    from train.export.convert import convert

    convert(arguments.source, arguments.out, arguments.weights)


def _gap(arguments: argparse.Namespace) -> None:
    from radio.model.engines.selection import open_engine
    from radio.model.sampling import Sampling
    from radio.model.weights.checkpoint import read
    from train.metrics import play
    from train.metrics.gap import PLAYS, compare, table

    pieces = play.corpus(arguments.corpus / "validation.jsonl")
    plain = play.human(play.corpus((arguments.plain or arguments.corpus.parent / "pop909") / "validation.jsonl"))
    settings = _station(arguments)
    model = read(settings.piano)
    sampling = Sampling(temperature=settings.controls.temperature)
    played = play.under_plans(open_engine(model), model.part, pieces * PLAYS, sampling, seed=arguments.seed)
    keys = play.station(settings, hours=arguments.minutes / 60, seed=arguments.seed, layer="keys")
    columns = {arguments.corpus.name: play.human(pieces), settings.piano.stem: list(played), settings.name: [keys]}
    print(table(compare(columns, plain)))


def _originality(arguments: argparse.Namespace) -> None:
    from radio.compose.originality import table
    from radio.compose.run_index import Index
    from radio.music.parts import PARTS
    from train.metrics import play
    from train.metrics.copied_runs import spread

    part, settings = PARTS[arguments.part], _station(arguments)
    layer = "keys" if part.note_offs else "drums"
    seen, unseen = (play.human(play.corpus(arguments.corpus / f"{name}.jsonl")) for name in ("train", "validation"))
    index = Index.of(part, (piece.notes for piece in seen))
    index.human = spread(index, unseen)
    if arguments.index:
        index.write(arguments.index)
    own = play.station(settings, hours=arguments.minutes / 60, seed=arguments.seed, layer=layer)
    print("\n".join(table({"validation": index.human, settings.name: spread(index, [own])})))


def _metrics(arguments: argparse.Namespace) -> None:
    from train.metrics.report import report, write

    found = report(
        arguments.corpus,
        arguments.checkpoint,
        None if arguments.station is None else _station(arguments),
        temperature=arguments.temperature,
        hours=arguments.hours,
        seed=arguments.seed,
    )
    print(write(found, arguments.out))


def _loops(arguments: argparse.Namespace) -> None:
    from train.metrics.loop_variety import listing, table, tracks, variety

    settings, columns = _station(arguments), {}
    for mood in arguments.moods:
        found = tracks(settings, hours=arguments.hours, mood=mood, seed=arguments.seed)
        columns[mood] = variety(found)
        if arguments.list:
            print(f"{mood}\n{listing(found[: arguments.list])}\n")
    print(table(columns))


def _listen(arguments: argparse.Namespace) -> None:
    from train.metrics.listen import listen, table

    found = listen(
        _station(arguments),
        minutes=arguments.minutes,
        temperatures=arguments.temperatures,
        seed=arguments.seed,
    )
    print(table(found))


def _station(arguments: argparse.Namespace) -> StationSettings:
    from radio.settings.config import load

    return load(arguments.config).station(arguments.station)


_COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace], None]]] = MappingProxyType(
    {
        "prepare": _prepare,
        "timing": _timing,
        "tunes": _tunes,
        "fit": _fit,
        "evaluate": _evaluate,
        "export": _export,
        "compare": _compare,
        "card": _card,
        "convert": _convert,
        "gap": _gap,
        "originality": _originality,
        "metrics": _metrics,
        "loops": _loops,
        "listen": _listen,
    }
)


def main() -> int:
    """Run the command line; 0, or 1 with a message where something was wrong."""
    try:
        run(parser().parse_args())
    except RadioError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:  # no room left, no right to write there, a file where a folder should be
        print(f"{error.filename}: {error.strerror}" if error.filename else error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
