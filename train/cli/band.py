"""Compare a model of all layers with a separate model for each layer.

All are runs of the part `band`: one on a corpus of whole tracks, the others on corpora of one layer each (`prepare
folder --encoding events --track bass`). They are measured on the same pieces, in bits per event of each layer. Then
they continue these pieces after sixteen bars, jointly and separately. The second table counts how often bass and kick
coincide, and how often the bass plays notes of the keys' harmony.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from train.cli.options import positive_integer

if TYPE_CHECKING:  # `--help` does not need numpy
    from radio.model.engines.base import Engine

SUMMARY: Final = "compare a model of all layers with a model for each layer"
EXAMPLES: Final = """\
  python -m train band runs/joint --keys runs/keys --bass runs/bass --drums runs/drums
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `band`."""
    parser.add_argument("joint", type=Path, help="run of a model of all layers")
    for layer in ("keys", "bass", "drums"):
        parser.add_argument(
            f"--{layer}", type=Path, metavar="RUN", required=True, help=f"run of a model of the {layer}"
        )
    parser.add_argument(
        "--corpus",
        type=Path,
        metavar="FOLDER",
        help="corpus of whole tracks that no run was trained on, to measure all its pieces [the validation pieces of "
        "the first run]",
    )
    parser.add_argument(
        "--pieces", type=positive_integer, default=40, metavar="N", help="maximum number of pieces to continue [40]"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the random generators [1]")


def run(arguments: argparse.Namespace) -> None:
    """Measure, and print both tables as Markdown."""
    from radio.model.sampling import Sampling
    from radio.music.band_events import decode
    from train.metrics.band_bits import bits_table, measured, pieces_of
    from train.metrics.band_samples import compared, samples_table

    runs = {"keys": arguments.keys, "bass": arguments.bass, "drums": arguments.drums}
    pieces = pieces_of(arguments.joint, arguments.corpus)
    print(bits_table(*measured(arguments.joint, runs, pieces)), flush=True)
    tracks = [decode(piece.tolist()) for piece in pieces[: arguments.pieces]]
    separate = {layer: _engine(path) for layer, path in runs.items()}
    results = compared(_engine(arguments.joint), separate, tracks, Sampling(top_p=0.95), arguments.seed)
    print(samples_table(results))


def _engine(run: Path) -> Engine:
    """Return an engine with the weights of a run."""
    from radio.model.engines.selection import open_engine
    from radio.model.weights import checkpoint
    from radio.music.parts import BAND
    from train.export.checkpoint import export

    with TemporaryDirectory() as folder:
        path = Path(folder) / "band.safetensors"
        export(run / "last.ckpt", path, {}, "fp32", BAND)
        return open_engine(checkpoint.read(path, BAND))
