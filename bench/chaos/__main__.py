"""Inject faults into a running radio and measure the silence for listeners with buffers of 0, 2 and 22 seconds.

Writes a table to the terminal and, with --output, between the markers of a Markdown file.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track

from bench.chaos.faults import FAULTS, description
from bench.chaos.listener import Listener
from bench.chaos.radio import Radio
from bench.document import replace_table

PATHS: Final = (
    *(f"/chill.opus?burst={burst}" for burst in (0, 0, 2, 2, 22, 22)),
    *(f"/chill.{kind}?burst={burst}" for kind in ("mp3", "aac") for burst in (2, 22)),
    "/study.opus?burst=2",
)
SETTLING: Final = 30.0
"""Seconds from going on the air to the first listener, so that every burst is full, and from there to each fault."""


@dataclass(frozen=True, slots=True)
class Round:
    """The results of one round.

    by_burst: the longest silence for each burst. neighbor: the longest silence of the other station.
    same_piece: True if the piece continued. other_tiers: seconds of each tier other than music.
    """

    by_burst: dict[str, float]
    neighbor: float
    same_piece: bool
    other_tiers: dict[str, float]


def place(radio: Radio) -> tuple[str, int]:
    """Return the title of the track on the air and the bar number."""
    now = radio.get("api/stations/chill")["now"]
    return now["track"]["title"], now["bar"]["number"]


def measure(radio: Radio, listeners: list[Listener], fault: str) -> Round:
    """Inject a fault and return the results of the round."""
    for listener in listeners:
        listener.reset()
    title, bar = place(radio)
    before = radio.tiers()
    FAULTS[fault](radio)
    later_title, later_bar = place(radio)
    silences = {
        burst: max(item.heard_silence() for item in listeners if item.path.endswith(f"burst={burst}"))
        for burst in ("0", "2", "22")
    }
    neighbor = max(item.heard_silence() for item in listeners if item.path.startswith("/study"))
    after = radio.tiers()
    restarted = after["music"] < before["music"]
    other_tiers = {tier: after[tier] - (0.0 if restarted else before[tier]) for tier in ("repeat", "texture")}
    return Round(silences, neighbor, later_bar > bar and (later_title == title or later_bar > bar + 1), other_tiers)


def table(results: dict[str, list[Round]]) -> str:
    """Return the results as a Markdown table with the worst round of each fault."""
    lines = [
        "| fault | silence at burst 0 | at 2 | at 22 | other station, at 2 | bars repeated | textures | same piece |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for fault, rounds in results.items():
        worst = [max(item.by_burst[burst] for item in rounds) for burst in ("0", "2", "22")]
        neighbor = max(item.neighbor for item in rounds)
        tiers = [max(item.other_tiers[tier] for item in rounds) for tier in ("repeat", "texture")]
        same = "yes" if all(item.same_piece for item in rounds) else "no"
        cells = " | ".join(f"{seconds:.1f} s" for seconds in (*worst, neighbor, *tiers))
        lines.append(f"| {description(fault)} | {cells} | {same} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Inject the faults named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.chaos",
        description=__doc__,
        epilog="faults:\n" + "\n".join(f"  {name:17} {description(name)}" for name in FAULTS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("faults", nargs="*", metavar="FAULT", choices=[*FAULTS, []], help="faults to inject [all]")
    parser.add_argument("--rounds", type=int, default=3, help="number of times to inject each fault [3]")
    parser.add_argument("--output", type=Path, help="Markdown file whose table is replaced")
    arguments = parser.parse_args()
    console = Console()
    results: dict[str, list[Round]] = {}
    with tempfile.TemporaryDirectory() as folder:
        radio = Radio(Path(folder))
        radio.start()
        time.sleep(SETTLING)
        listeners = [Listener(radio.port, path) for path in PATHS]
        for listener in listeners:
            listener.start()
        try:
            for fault in arguments.faults or FAULTS:
                for _ in track(range(arguments.rounds), description=f"{fault:17}", console=console):
                    for listener in listeners:
                        listener.join_again()
                    time.sleep(SETTLING)
                    results.setdefault(fault, []).append(measure(radio, listeners, fault))
        finally:
            for listener in listeners:
                listener.stop()
            radio.end()
            if results:
                console.print(table(results), markup=False)
            console.print((radio.folder / "log").read_text()[-4_000:], markup=False, highlight=False)
    text = table(results)
    if arguments.output is not None:
        command = f"python -m bench.chaos --rounds {arguments.rounds}"
        replace_table(arguments.output, "chaos", command, text)


if __name__ == "__main__":
    main()
