"""What can be asked of `python -m train`: its commands, their options, and the help that goes with them."""

from __future__ import annotations

import argparse
from math import inf
from pathlib import Path

from radio.music.vocab import STYLES
from radio.types import MOODS

DESCRIPTION = "From MIDI files to models that the radio plays: prepare, fit, evaluate, export, listen."

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
  python -m train tunes my-tunes                                  such a folder: tunes in the public domain
  python -m train fit configs/piano.yaml runs/piano               Ctrl-C stops it, the same command goes on
  python -m train evaluate runs/piano --plot curve.png            bits per sampled token, beside a 5-gram
  python -m train export runs/piano piano.safetensors             what stations.yaml's `piano:` takes
  python -m train evaluate piano.safetensors --corpus data/lofi   the same of what was exported, as the radio steps it
  python -m train convert piano.safetensors piano.pth             for other runtimes of RWKV
  python -m train gap data/lofi                                   from pop piano to lo-fi: how far we came
  python -m train originality data/lofi                           the longest runs that stand in the corpus too
  python -m train metrics data/lofi piano.safetensors             twenty figures beside those of human music
  python -m train card piano.safetensors metrics=build/metrics/metrics.json
                                                                  these, or other figures, onto the model's card
  python -m train compare configs/compare runs/compare            RWKV beside RNN, GRU, LSTM, CNN, Transformer
  python -m train loops chill --list 20                           chord loops by mood, and how much they vary
  python -m train listen chill --minutes 30                       chord tones, backbeat, entropies as composed

docs/training.md explains them all; COMMAND --help tells what each takes.
"""


def parser() -> argparse.ArgumentParser:
    """The commands and what they take."""
    top = argparse.ArgumentParser(
        prog="python -m train",
        description=DESCRIPTION,
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
    gap.add_argument("--minutes", type=_positive, default=120.0, help="how much of the station [120]")

    originality = commands.add_parser("originality", help="the longest runs that a station copies from its corpus")
    originality.add_argument("corpus", type=Path, help="the prepared corpus' folder, of the part's model")
    originality.add_argument("--part", choices=["piano", "drums"], default="piano", help="whose notes [piano]")
    originality.add_argument("--index", type=Path, help="write the index, hashes only, to this .safetensors")
    originality.add_argument("--station", default="chill", help="whose music is compared [chill]")
    originality.add_argument("--minutes", type=_positive, default=120.0, help="how much of the station [120]")

    metrics = commands.add_parser("metrics", help="what a model plays under human plans, beside what humans played")
    metrics.add_argument("corpus", type=Path, help="the prepared corpus' folder, of the checkpoint's part")
    metrics.add_argument("checkpoint", type=Path, help="exported .safetensors")
    metrics.add_argument("--temperature", type=_positive, default=1.0, help="of sampling [1.0]")
    metrics.add_argument("--station", help="also: does this station stay as it is for --hours?")
    metrics.add_argument("--hours", type=_positive, default=24.0, help="how much of the station [24]")
    metrics.add_argument("--out", type=Path, default=Path("build/metrics"), help="folder of .json, .md, .png")

    for command in (gap, originality, metrics, *_composing(commands)):
        command.add_argument("--config", type=Path, metavar="YAML", help="where the station stands [stations.yaml]")
        command.add_argument("--seed", type=int, default=7, help="another seed, another evening [7]")
    return top


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def _composing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> tuple[argparse.ArgumentParser, ...]:
    loops = commands.add_parser("loops", help="the chord loops a station would play over, listed and counted by mood")
    loops.add_argument("station", help="a station of the config")
    loops.add_argument("--hours", type=_positive, default=24.0, help="of tracks, in each mood [24]")
    loops.add_argument(
        "--moods",
        nargs="+",
        choices=["any", *MOODS],
        default=["any", *MOODS],
        metavar="MOOD",
        help=f"of any, {', '.join(MOODS)} [all]",
    )
    loops.add_argument("--list", type=int, default=0, metavar="N", help="print the first N tracks' loops of each mood")

    listen = commands.add_parser("listen", help="figures of what a station composes")
    listen.add_argument("station", help="a station of the config")
    listen.add_argument("--minutes", type=_positive, default=30.0, help="how much of it, at each temperature [30]")
    listen.add_argument(
        "--temperatures",
        type=_positive,
        nargs="+",
        default=[0.6, 1.0, 1.2],
        metavar="T",
        help="of sampling, a column each [0.6 1.0 1.2]",
    )
    return loops, listen


def _comparing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    compare = commands.add_parser("compare", help="architectures of one size: trained alike, measured in one table")
    compare.add_argument("recipes", type=Path, help="a folder of recipes that differ in the model alone")
    compare.add_argument("runs", type=Path, help="where each has its run; what is missing there is trained first")
    compare.add_argument("--tokens", type=_count, help="train on so many instead of what the recipes say: a first look")
    compare.add_argument("--train", nargs="+", metavar="NAME", help="only train these, and measure nothing yet")
    compare.add_argument("--out", type=Path, default=Path("build/compare"), help="folder of .json, .md, .png")


def _preparing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    prepare = commands.add_parser("prepare", help="MIDI to tokens: JSON Lines and binidx")
    prepare.add_argument(
        "corpus",
        choices=["pop909", "groove", "folder", "chords"],
        help="what source holds: a data set that is known, any MIDI files, or POP909 for its chords alone",
    )
    prepare.add_argument("source", type=Path, help="a folder, or a tar archive of one")
    prepare.add_argument("out", type=Path, help="where train.* and validation.* go")
    prepare.add_argument("--part", choices=["piano", "drums"], help="for folder: which part to take from the files")
    prepare.add_argument(
        "--arrange",
        metavar="STAGES",
        help="all stages, or some, with commas. They make lo-fi keyboards of piano pieces: "
        "sections,harmony,thinning,voicing,sustain,touch; and lo-fi drumming of Groove's: "
        "align,straighten,grid,vary,weigh",
    )
    prepare.add_argument(
        "--progressions", type=Path, metavar="JSON", help="for chords: progressions.json of free-midi-chords"
    )
    prepare.add_argument("--variants", type=_count, default=1, help="arrangements of each piece to train on [1]")

    timing = commands.add_parser("timing", help="how Groove's drummers time their hits: a table for the radio's feel")
    timing.add_argument("source", type=Path, help="the unpacked Groove MIDI Dataset")
    timing.add_argument("--out", type=Path, metavar="JSON", help="write the table to this file")

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
    fit.add_argument("recipe", type=Path, help="a YAML file as in configs/; train/loop/recipe.py explains each setting")
    fit.add_argument("run", type=Path, help="the run's folder: checkpoints, logs, resolved recipe")
    fit.add_argument(
        "--from", dest="initial", type=Path, metavar="MODEL", help="exported safetensors to start a new run from"
    )
    fit.add_argument("--devices", type=int, default=1, metavar="N", help="GPUs, or processes where there is none [1]")
    fit.add_argument(
        "--strategy",
        choices=["ddp", "deepspeed"],
        default="ddp",
        help="how several GPUs share the work: each with the whole model, or DeepSpeed's stage 2 [ddp]",
    )
    fit.add_argument("--wandb", metavar="PROJECT", help="log to Weights & Biases too")


def _exporting(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = commands.add_parser("export", help="write safetensors that the radio plays, and its card")
    export.add_argument("run", type=Path, help="the run's folder, whose last.ckpt is taken")
    export.add_argument("out", type=Path, help="the .safetensors; its card is written beside it, as .json")

    convert = commands.add_parser("convert", help="write an exported model in another form, or as RWKV-LM's .pth")
    convert.add_argument("source", type=Path, help="an exported .safetensors")
    convert.add_argument("out", type=Path, help=".safetensors, or .pth for other runtimes of RWKV (always fp32)")

    card = commands.add_parser("card", help="put measured figures into the card of an exported model")
    card.add_argument("checkpoint", type=Path, help="an exported .safetensors")
    card.add_argument("figures", nargs="+", metavar="NAME=FILE.json", help="such as metrics=build/metrics/metrics.json")

    for command in (export, convert):
        command.add_argument(
            "--weights",
            choices=["int8", "bf16", "fp32"],
            default="int8",
            help="how the weights are stored [int8: a quarter of fp32's size, as good, and the fastest]",
        )
