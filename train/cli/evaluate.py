"""Measure a model on the validation pieces: bits and accuracy per sampled token.

A run is compared with a back-off n-gram (n from 1 to 5), counted on the same training pieces: a model that needs as
many bits has not learned much yet. The figures are written to the run's figures.json, and `export` puts them into the
model's card. An exported .safetensors is measured with the engine that the radio uses. Each part of a shared trunk is
measured separately.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from radio.errors import SettingsError
from radio.music.vocab import STYLES
from radio.types import JsonValue

SUMMARY: Final = "measure a model: bits per sampled token, compared with a 5-gram"
EXAMPLES: Final = """\
  python -m train evaluate runs/piano --plot curve.png            # a run, with its validation curve
  python -m train evaluate piano.safetensors --corpus data/lofi   # an exported model, as the radio plays it
  python -m train evaluate drums.safetensors --corpus data/beats --styles hiphop soul
                                                                  # these drum styles only
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `evaluate`."""
    parser.add_argument("run", type=Path, help="folder of a run, or an exported .safetensors")
    parser.add_argument("--corpus", type=Path, help="prepared corpus to measure on [the run's own]")
    parser.add_argument(
        "--styles",
        nargs="+",
        choices=STYLES,
        default=[],
        metavar="STYLE",
        help="for an exported drum model: only pieces of these styles [all]",
    )
    parser.add_argument(
        "--attributes",
        action="store_true",
        help="feed the pieces' attributes of texture, which are otherwise left out",
    )
    parser.add_argument("--plot", type=Path, help="PNG file to draw the validation curve to")


def run(arguments: argparse.Namespace) -> None:
    """Measure the run or the exported model, and print the figures as JSON."""
    from train.data.shared_trunk import SHARED, parts_in
    from train.loop.stored_run import stored_run
    from train.metrics.evaluate import evaluate, evaluate_checkpoint, plot_curve, verdict

    if arguments.run.suffix == ".safetensors":
        if arguments.corpus is None:
            raise SettingsError(f"{arguments.run}: an exported model needs --corpus FOLDER to be measured on")
        if arguments.plot is not None:
            raise SettingsError("--plot: an exported model has no validation curve; use the run's folder")
        print(
            json.dumps(
                evaluate_checkpoint(
                    arguments.run, arguments.corpus, styles=arguments.styles, attributes=arguments.attributes
                ),
                indent=2,
            )
        )
        return
    if arguments.styles:
        raise SettingsError("--styles is for an exported drum model (.safetensors)")
    recipe = stored_run(arguments.run / "last.ckpt").recipe
    if recipe.part == SHARED and arguments.plot:
        raise SettingsError("--plot: a shared trunk has one curve of all its parts; plot the run of one part")
    if recipe.part == SHARED:
        folder = arguments.corpus or Path(recipe.corpus)
        by_part = {
            part.name: evaluate(arguments.run, folder / part.name, attributes=arguments.attributes, part=part)
            for part in parts_in(folder)
        }
        _write(arguments.run, by_part)
        print(json.dumps({name: _shown(figures) for name, figures in by_part.items()}, indent=2))
        for name, figures in by_part.items():
            print(f"{name}: {verdict(figures)}", file=sys.stderr)
        return
    figures = evaluate(arguments.run, arguments.corpus, attributes=arguments.attributes)
    _write(arguments.run, figures)
    print(json.dumps(_shown(figures), indent=2))
    print(verdict(figures), file=sys.stderr)
    if arguments.plot:
        plot_curve(figures, recipe, arguments.plot)


def _write(run: Path, figures: Mapping[str, JsonValue]) -> None:
    (run / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")


def _shown(figures: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: value for name, value in figures.items() if name != "curve"}
