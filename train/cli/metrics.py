"""Compare a model's music with human music, in twenty metrics.

The model plays under the chords, densities and attributes of every validation piece. Its passages and those of the
pieces are measured by the same metrics, and each metric's two distributions are compared by overlap area and
Kullback-Leibler divergence. With --station, the station's music is also measured hour by hour, to see whether it
drifts.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import add_config_and_seed, positive_number, read_station

SUMMARY: Final = "compare a model's music with human music, in twenty metrics"
EXAMPLES: Final = """\
  python -m train metrics data/lofi piano.safetensors
  python -m train metrics data/lofi piano.safetensors --station chill --hours 24
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `metrics`."""
    parser.add_argument("corpus", type=Path, help="prepared corpus of the model's part")
    parser.add_argument("checkpoint", type=Path, help="an exported .safetensors")
    parser.add_argument("--temperature", type=positive_number, default=1.0, help="sampling temperature [1.0]")
    parser.add_argument("--station", help="also measure this station hour by hour")
    parser.add_argument("--hours", type=positive_number, default=24.0, help="hours of the station to measure [24]")
    parser.add_argument(
        "--out", type=Path, default=Path("build/metrics"), help="folder for metrics.json, .md and .png [build/metrics]"
    )
    add_config_and_seed(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure, write the report, and print it as Markdown."""
    from train.metrics.report import report, write

    results = report(
        arguments.corpus,
        arguments.checkpoint,
        None if arguments.station is None else read_station(arguments),
        temperature=arguments.temperature,
        hours=arguments.hours,
        seed=arguments.seed,
    )
    print(write(results, arguments.out))
