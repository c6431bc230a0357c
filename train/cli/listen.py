"""Measure stations as listeners hear them, and compare them with real lo-fi and the goals.

Each station composes with its own settings, from each seed. The table shows loops of keys and drums, arrangement,
spread, loudness range, forms and faults; figures that miss their goal are bold. Rendering audio takes most of the time.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from train.cli.options import positive_number

SUMMARY: Final = "measure stations as listeners hear them, and compare them with real lo-fi"
EXAMPLES: Final = """\
  python -m train listen --all
  python -m train listen --stations chill --hours 0.5 --seeds 7 --audio-minutes 0
  python -m train listen --stations chill study --plots pictures
  python -m train listen --drift chill --hours 24                 # is hour 24 like hour 1?
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `listen`."""
    stations = parser.add_mutually_exclusive_group(required=True)
    stations.add_argument("--all", action="store_true", help="measure every station")
    stations.add_argument("--stations", nargs="+", metavar="NAME", help="measure these stations")
    stations.add_argument(
        "--drift",
        metavar="NAME",
        help="measure this station and its memory hour by hour from the first seed, and an hour from each other seed",
    )
    parser.add_argument(
        "--hours", type=positive_number, default=2.0, help="hours that a station composes from each seed [2]"
    )
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="N", help="seeds of the music [1 2 3]"
    )
    parser.add_argument(
        "--audio-minutes",
        type=float,
        default=30.0,
        metavar="MINUTES",
        help="minutes to render from the first seed, for rows 5 and 7; 0 leaves them out [30]",
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FOLDER",
        help="also compare the rendered audio with the recordings in this folder, using the tagger",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    parser.add_argument(
        "--plots",
        type=Path,
        metavar="FOLDER",
        help="instead of measuring, draw one track of each station to this folder, from the station's own seed: "
        "piano roll, similarity of its bars, and levels",
    )
    parser.add_argument("--config", type=Path, metavar="YAML", help="file that describes the stations [stations.yaml]")


def run(arguments: argparse.Namespace) -> None:
    """Compose, measure, and print the figures as Markdown; or write pictures."""
    from dataclasses import asdict

    from radio.settings.config import load
    from train.metrics.figures_json import figures_json
    from train.metrics.judging import Judge
    from train.metrics.listen import listen, table

    config = load(arguments.config)
    if arguments.drift:
        from train.metrics.drift import hourly

        settings = config.station(arguments.drift)
        print(hourly(settings, hours=round(arguments.hours), seeds=arguments.seeds).table())
        return
    stations = [config.station(name) for name in (config.stations if arguments.all else arguments.stations)]
    if arguments.plots:
        from train.metrics.music_plots import draw

        for settings in stations:
            print(draw(settings, arguments.plots))
        return
    judge = Judge(arguments.against) if arguments.against else None
    results = listen(
        stations, hours=arguments.hours, seeds=arguments.seeds, audio_minutes=arguments.audio_minutes, judge=judge
    )
    if arguments.json:
        figures = {name: asdict(measured) for name, measured in results.items()}
        arguments.json.write_text(figures_json(figures))
    print(table(results, {settings.name: settings.style for settings in stations}))
