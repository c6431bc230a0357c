"""`radio compare`: compare two audio files, in a table and on a page with charts."""

from __future__ import annotations

import argparse
from pathlib import Path

from radio.cli.arguments import check_target
from radio.cli.exit_codes import OK
from radio.cli.score import add_references, check_inputs, compare_with, print_baseline, progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("first", type=Path, help="audio file: .wav .flac .mp3 .opus and others")
    parser.add_argument("second", type=Path, help="audio file to compare with it")
    add_references(parser)
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="also write a page with spectra, bands, loudness and tags"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from radio.judge import table
    from radio.judge.report import html
    from radio.judge.score import compare, score
    from radio.judge.tagger import load

    report: Path | None = arguments.report
    if report is not None:
        check_target(report)
    check_inputs((arguments.first, arguments.second), arguments.against)
    tagger = load()
    with progress() as on_file:
        scores = []
        for path in (arguments.first, arguments.second):
            on_file(path)
            scores.append(score(path, tagger))
        references, comparisons = compare_with(arguments.against, scores, tagger, on_file)
    figures = table.markdown(scores, tagger.names, references, comparisons, differences=True)
    print(figures)
    apart = compare(scores[:1], scores[1:])
    footnote = (
        f"Fréchet distance of the two: {table.decimal(apart.frechet, 1)}; "
        f"told apart: {table.decimal(apart.told_apart, 2)} (0.5: chance)"
    )
    print(f"\n{footnote}")
    print_baseline(references)
    if report is not None:
        report.write_text(html(scores, tagger.names, figures, footnote), encoding="utf-8")
        print(f"{report}: written")
    return OK
