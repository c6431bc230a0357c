"""Tune the initial state of an RWKV model on a handful of pieces of one style.

The weights do not change. The settings `piano_state:` and `drums_state:` of a station name the written file. The bits
per sampled token of the corpus's validation pieces are printed without the state and with it, in passages as long as
those that it was tuned on.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from radio.music.vocab import STYLES
from train.cli.options import positive_integer, positive_number

SUMMARY: Final = "tune the initial state of a model"
EXAMPLES: Final = """\
  python -m train tune-state piano.safetensors data/mine mine-state.safetensors
  python -m train tune-state piano.safetensors data/lofi swing.safetensors --names '012*' '113*'
                                                                  # pieces with these names only
  python -m train tune-state drums.safetensors data/beats bossa.safetensors --styles latin --pieces 8
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `tune-state`."""
    parser.add_argument("model", type=Path, help="exported piano or drum model, .safetensors, of RWKV")
    parser.add_argument("corpus", type=Path, help="prepared corpus")
    parser.add_argument("out", type=Path, help="file to write, ending in .safetensors")
    parser.add_argument(
        "--names", nargs="+", default=[], metavar="NAME", help="tune on pieces with these names; * matches any text"
    )
    parser.add_argument(
        "--held-out", nargs="+", default=[], metavar="NAME", help="measure on validation pieces with these names [all]"
    )
    parser.add_argument(
        "--styles",
        nargs="+",
        choices=STYLES,
        default=[],
        metavar="STYLE",
        help="for a drum model: tune and measure on pieces of these styles [all]",
    )
    parser.add_argument(
        "--pieces", type=positive_integer, metavar="N", help="maximum number of pieces to tune on [all]"
    )
    parser.add_argument(
        "--leave-out",
        choices=["styles", "controls"],
        help="control tokens to leave out of the pieces: drum styles, or all except beats and chords [none]",
    )
    parser.add_argument("--steps", type=positive_integer, default=100, metavar="N", help="steps of training [100]")
    parser.add_argument("--bars", type=positive_integer, default=8, metavar="N", help="bars of a passage [8]")
    parser.add_argument("--rate", type=positive_number, default=0.2, help="peak learning rate [0.2]")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the random generators [1]")


def run(arguments: argparse.Namespace) -> None:
    """Tune a state, write it, and print its figures."""
    from radio.errors import SettingsError
    from radio.model import tuned_state
    from radio.model.engines.selection import open_engine
    from radio.model.weights import checkpoint
    from radio.music.parts import DRUMS, PIANO
    from train.data.passages import read_pieces, without
    from train.data.shared_trunk import require_part
    from train.data.vocabulary import RowTable
    from train.loop.state_tuning import StateTuning, tune
    from train.metrics.passage_bits import bits_of_passages

    if arguments.out.suffix != ".safetensors":
        raise SettingsError(f"{arguments.out}: must end in .safetensors")
    model = checkpoint.read(arguments.model)
    if model.part not in (PIANO, DRUMS):
        raise SettingsError(f"{arguments.model}: use a piano or a drum model; this is a {model.part.name} model")
    require_part(arguments.corpus, model.part)
    spec = tuned_state.require_tunable(model.spec)
    pieces = read_pieces(arguments.corpus / "train.jsonl", arguments.names, arguments.styles)[: arguments.pieces]
    held_out = read_pieces(arguments.corpus / "validation.jsonl", arguments.held_out, arguments.styles)
    if arguments.leave_out:
        pieces = [without(piece, arguments.leave_out) for piece in pieces]
        held_out = [without(piece, arguments.leave_out) for piece in held_out]
    how = StateTuning(steps=arguments.steps, bars=arguments.bars, rate=arguments.rate, seed=arguments.seed)
    wkv = tune(model, pieces, how, _print_step)
    engine, table = open_engine(model), RowTable(model.part, model.tokens)
    passages = [passage for piece in held_out for passage in piece.passages(how.bars)]
    without_state = bits_of_passages(engine, passages, table, engine.zero_state())
    with_state = bits_of_passages(engine, passages, table, tuned_state.begin_with(wkv, spec))
    card = {
        "corpus": arguments.corpus.name,
        "pieces": [piece.name for piece in pieces],
        "steps": how.steps,
        "bars": how.bars,
        "rate": how.rate,
        "bits_without": without_state,
        "bits_with": with_state,
    }
    tuned_state.write(arguments.out, tuned_state.TunedState(wkv, tuned_state.fingerprint(model), card))
    print(f"{len(pieces)} pieces; {len(held_out)} held out, {len(passages)} passages of {how.bars} bars")
    print(f"bits per sampled token: {without_state:.4f} without the state, {with_state:.4f} with it")


def _print_step(step: int, bits: float) -> None:
    if step % 20 == 0 or step == 1:
        print(f"step {step}: {bits:.3f} bits", flush=True)
