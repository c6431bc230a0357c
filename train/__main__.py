"""The training stack's command line: prepare, fit, evaluate, export, convert, listen."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from radio.errors import RadioError, SettingsError
from radio.music.vocab import STYLES
from radio.types import MOODS

if TYPE_CHECKING:
    from radio.config import StationSettings

EXAMPLES = """
from files to a station of your own:
  python -m train prepare pop909 pop909.tar.gz data/pop909        a corpus we know
  python -m train prepare pop909 pop909.tar.gz data/lofi --arrange all --variants 3
                                                                  the same as lo-fi keyboards
  python -m train prepare groove groove.tar.gz data/beats --arrange all --variants 3
                                                                  drumming on its grid, weighted for lo-fi
  python -m train timing groove --out radio/checkpoints/timing.json
                                                                  when its drummers strike, for the radio's feel
  python -m train prepare chords pop909.tar.gz data/chords --progressions progressions.json
                                                                  chord loops with moods
  python -m train prepare folder my-midi data/mine --part piano   any folder of MIDI files
  python -m train fit configs/piano.yaml runs/piano               Ctrl-C stops it, the same command goes on
  python -m train evaluate runs/piano --plot curve.png            bits per sampled token, beside a 5-gram
  python -m train export runs/piano piano.safetensors             what stations.yaml's `piano:` takes
  python -m train evaluate piano.safetensors --corpus data/lofi   the same of what was exported, as the radio steps it
  python -m train convert piano.safetensors piano.pth             for the runtimes of other RWKV-6 models
  python -m train gap data/lofi                                   from pop piano to lo-fi: how far we came
  python -m train originality data/lofi                           the longest runs that stand in the corpus too
  python -m train metrics data/lofi piano.safetensors             twenty figures beside those of human music
  python -m train compare configs/compare runs/compare            RWKV beside RNN, GRU, LSTM, CNN, Transformer
  python -m train loops chill --list 20                           chord loops by mood, and how much they vary
  python -m train listen chill --minutes 30                       chord tones, backbeat, entropies as composed
"""


def parser() -> argparse.ArgumentParser:
    """The commands and what they take."""
    top = argparse.ArgumentParser(
        prog="python -m train",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _preparing(commands)

    _fitting(commands)

    evaluate = commands.add_parser("evaluate", help="bits per sampled token on validation, beside a 5-gram's")
    evaluate.add_argument("run", type=Path, help="a run's folder, or an exported .safetensors")
    evaluate.add_argument("--corpus", type=Path, help="the prepared corpus to measure on [a run's own]")
    evaluate.add_argument(
        "--styles", nargs="+", choices=STYLES, default=[], metavar="STYLE", help="of a drum model: only these [all]"
    )
    evaluate.add_argument("--plot", type=Path, help="draw the validation curve to this PNG")

    _exporting(commands)

    _comparing(commands)

    gap = commands.add_parser(
        "gap", help="how much of the way from pop piano to lo-fi a corpus and a station have gone"
    )
    gap.add_argument("corpus", type=Path, help="a prepared corpus' folder")
    gap.add_argument("--plain", type=Path, help="POP909 prepared as it is, for the gap's error [pop909, beside corpus]")
    gap.add_argument("--station", default="chill", help="whose keys are measured beside it [chill]")
    gap.add_argument("--config", type=Path)
    gap.add_argument("--minutes", type=float, default=120.0, help="how much of the station [120]")
    gap.add_argument("--seed", type=int, default=7)

    originality = commands.add_parser("originality", help="the longest runs that a station copies from its corpus")
    originality.add_argument("corpus", type=Path, help="the prepared corpus' folder, of the part's model")
    originality.add_argument("--part", choices=["piano", "drums"], default="piano")
    originality.add_argument("--index", type=Path, help="write the index, hashes only, to this .safetensors")
    originality.add_argument("--station", default="chill", help="whose music is compared [chill]")
    originality.add_argument("--config", type=Path)
    originality.add_argument("--minutes", type=float, default=120.0)
    originality.add_argument("--seed", type=int, default=7)

    metrics = commands.add_parser("metrics", help="what a model plays under human plans, beside what humans played")
    metrics.add_argument("corpus", type=Path, help="the prepared corpus' folder, of the checkpoint's part")
    metrics.add_argument("checkpoint", type=Path, help="exported .safetensors")
    metrics.add_argument("--temperature", type=float, default=1.0)
    metrics.add_argument("--station", help="also: does this station stay as it is for --hours?")
    metrics.add_argument("--config", type=Path)
    metrics.add_argument("--hours", type=float, default=24.0)
    metrics.add_argument("--seed", type=int, default=7)
    metrics.add_argument("--out", type=Path, default=Path("build/metrics"), help="folder of .json, .md, .png")

    _composing(commands)
    return top


def _composing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    loops = commands.add_parser("loops", help="the chord loops a station would play over, listed and counted by mood")
    loops.add_argument("station")
    loops.add_argument("--config", type=Path)
    loops.add_argument("--hours", type=float, default=24.0)
    loops.add_argument("--moods", nargs="+", choices=["any", *MOODS], default=["any", *MOODS], help="[all]")
    loops.add_argument("--list", type=int, default=0, metavar="N", help="print the first N tracks' loops of each mood")
    loops.add_argument("--seed", type=int, default=7)

    listen = commands.add_parser("listen", help="figures of what a station composes")
    listen.add_argument("station")
    listen.add_argument("--config", type=Path)
    listen.add_argument("--minutes", type=float, default=30.0)
    listen.add_argument("--seed", type=int, default=7)
    listen.add_argument("--temperatures", type=float, nargs="+", default=[0.6, 1.0, 1.2])


def _comparing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    compare = commands.add_parser("compare", help="architectures of one size: trained alike, measured in one table")
    compare.add_argument("recipes", type=Path, help="a folder of recipes that differ in the model alone")
    compare.add_argument("runs", type=Path, help="where each has its run; what is missing there is trained first")
    compare.add_argument("--tokens", type=int, help="train on so many instead of what the recipes say: a first look")
    compare.add_argument("--train", nargs="+", metavar="NAME", help="only train these, and measure nothing yet")
    compare.add_argument("--out", type=Path, default=Path("build/compare"), help="folder of .json, .md, .png")


def _preparing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    prepare = commands.add_parser("prepare", help="MIDI to tokens: JSON Lines and binidx")
    prepare.add_argument("corpus", choices=["pop909", "groove", "folder", "chords"])
    prepare.add_argument("source", type=Path, help="a folder, or a tar archive of one")
    prepare.add_argument("out", type=Path, help="where train.* and validation.* go")
    prepare.add_argument("--part", choices=["piano", "drums"], help="which part to take from a folder's files")
    prepare.add_argument(
        "--arrange",
        metavar="STAGES",
        help="all stages, or some, with commas. They make lo-fi keyboards of piano pieces: "
        "sections,harmony,thinning,voicing,sustain,touch; and lo-fi drumming of Groove's: "
        "align,straighten,grid,vary,weigh",
    )
    prepare.add_argument("--progressions", type=Path, help="for chords: progressions.json of free-midi-chords")
    prepare.add_argument("--variants", type=int, default=1, help="arrangements of each piece to train on [1]")

    timing = commands.add_parser("timing", help="how Groove's drummers time their hits: a table for the radio's feel")
    timing.add_argument("source", type=Path, help="the unpacked Groove MIDI Dataset")
    timing.add_argument("--out", type=Path, help="write the table to this JSON file")

    tunes = commands.add_parser("tunes", help="write tunes in the public domain as MIDI files, for `prepare folder`")
    tunes.add_argument("out", type=Path, help="the folder to write them to")
    tunes.add_argument(
        "--collections",
        nargs="+",
        default=["oneills", "ryans"],
        metavar="NAME",
        help="oneills: Music of Ireland, 1903; ryans: Ryan's Mammoth Collection, 1883 [both]",
    )


def _fitting(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    fit = commands.add_parser("fit", help="train by a recipe, or go on with a run that stopped")
    fit.add_argument("recipe", type=Path)
    fit.add_argument("run", type=Path, help="the run's folder: checkpoints, logs, resolved recipe")
    fit.add_argument("--from", dest="initial", type=Path, help="exported safetensors to start a new run from")
    fit.add_argument("--devices", type=int, default=1, help="GPUs, or processes where there is none [1]")
    fit.add_argument(
        "--strategy",
        choices=["ddp", "deepspeed"],
        default="ddp",
        help="how several GPUs share the work: each with the whole model, or DeepSpeed's stage 2 [ddp]",
    )
    fit.add_argument("--wandb", metavar="PROJECT", help="log to Weights & Biases too")


def _exporting(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = commands.add_parser("export", help="write safetensors that the radio plays, and its card")
    export.add_argument("run", type=Path)
    export.add_argument("out", type=Path)

    convert = commands.add_parser("convert", help="write an exported model in another form, or as RWKV-LM's .pth")
    convert.add_argument("source", type=Path)
    convert.add_argument("out", type=Path, help=".safetensors, or .pth for other RWKV-6 runtimes (always fp32)")

    card = commands.add_parser("card", help="put measured figures into the card of an exported model")
    card.add_argument("checkpoint", type=Path)
    card.add_argument("figures", nargs="+", metavar="NAME=FILE.json", help="such as metrics=build/metrics/metrics.json")

    for command in (export, convert):
        command.add_argument(
            "--weights",
            choices=["int8", "bf16", "fp32"],
            default="int8",
            help="how the weights are stored [int8: a quarter of fp32's size, as good, and the fastest]",
        )


def run(arguments: argparse.Namespace) -> None:
    """Carry out one command; torch is only imported by those that need it."""
    _COMMANDS[arguments.command](arguments)


def _prepare(arguments: argparse.Namespace) -> None:
    from train.arrange import stages as keyboards
    from train.drums import stages as drumming
    from train.prepare import prepare

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
    from train.drums.timing import measured

    table, words = measured(arguments.source)
    if arguments.out:
        arguments.out.write_text(json.dumps(table, ensure_ascii=False) + "\n")
    print(words)


def _tunes(arguments: argparse.Namespace) -> None:
    from train.corpus.tunes import write

    print(f"{write(arguments.collections, arguments.out)} tunes in {arguments.out}")


def _fit(arguments: argparse.Namespace) -> None:
    from train.fit import fit
    from train.keeping import StoppedError
    from train.recipe import load

    try:
        last = fit(
            load(arguments.recipe),
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
    from train.evaluate import evaluate, evaluate_checkpoint, plot_curve
    from train.export import load as load_run

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
        recipe = load_run(arguments.run / "last.ckpt").recipe
        plot_curve(figures, recipe.lanes * recipe.window, arguments.plot, f"{recipe.part}, {Path(recipe.corpus).name}")


def _export(arguments: argparse.Namespace) -> None:
    from train.export import export

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
        from train.compare.report import write

        print(write(measure({name: arguments.runs / name for name in found}), arguments.out))


def _card(arguments: argparse.Namespace) -> None:
    from train.card import add, named

    add(arguments.checkpoint, named(arguments.figures))


def _convert(arguments: argparse.Namespace) -> None:
    from train.convert import convert

    convert(arguments.source, arguments.out, arguments.weights)


def _gap(arguments: argparse.Namespace) -> None:
    from radio.model.checkpoint import read
    from radio.model.engines import open_engine
    from radio.model.sampling import Sampling
    from train.gap import PLAYS, compare, table
    from train.metrics import play

    pieces = play.corpus(arguments.corpus / "validation.jsonl")
    settings = _station(arguments)
    model = read(settings.piano)
    sampling = Sampling(temperature=settings.controls.temperature)
    played = play.under_plans(open_engine(model), model.part, pieces * PLAYS, sampling, seed=arguments.seed)
    keys = play.station(settings, hours=arguments.minutes / 60, seed=arguments.seed, layer="keys")
    columns = {arguments.corpus.name: play.human(pieces), settings.piano.stem: list(played), settings.name: [keys]}
    plain = play.human(play.corpus((arguments.plain or arguments.corpus.parent / "pop909") / "validation.jsonl"))
    print(table(compare(columns, plain)))


def _originality(arguments: argparse.Namespace) -> None:
    from radio.compose.originality import Index
    from radio.music.parts import PARTS
    from radio.originality import table
    from train.metrics import play
    from train.originality import spread

    part, settings = PARTS[arguments.part], _station(arguments)
    layer = "keys" if part.offs else "drums"
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
    from train.chords.variety import listing, table, tracks, variety

    settings, columns = _station(arguments), {}
    for mood in arguments.moods:
        found = tracks(settings, hours=arguments.hours, mood=mood, seed=arguments.seed)
        columns[mood] = variety(found)
        if arguments.list:
            print(f"{mood}\n{listing(found[: arguments.list])}\n")
    print(table(columns))


def _listen(arguments: argparse.Namespace) -> None:
    from train.listen import listen, table

    found = listen(
        _station(arguments),
        minutes=arguments.minutes,
        temperatures=arguments.temperatures,
        seed=arguments.seed,
    )
    print(table(found))


def _station(arguments: argparse.Namespace) -> StationSettings:
    from radio.config import load

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
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
