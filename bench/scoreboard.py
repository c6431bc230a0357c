"""The scoreboard as JSON, and as a table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from bench.measurement import Measurement

Board = Mapping[str, Sequence[Measurement]]
"""The figures of each section."""

_REACHED = {None: "", True: "yes", False: "**no**"}


def as_json(machine: Mapping[str, str], board: Board) -> dict[str, object]:
    """Everything, for programs."""
    figures = [
        {"section": section, **asdict(figure), "reached": figure.reached}
        for section, lines in board.items()
        for figure in lines
    ]
    return {"machine": dict(machine), "figures": figures}


def as_markdown(machine: Mapping[str, str], board: Board) -> str:
    """A table for each section, what has a target first."""
    parts = ["# Scoreboard", ""]
    parts += [f"- {what}: {words}" for what, words in machine.items()]
    for section, figures in board.items():
        parts += [
            "",
            f"## {section}",
            "",
            "| what | figure | target | reached | |",
            "| --- | ---: | ---: | --- | --- |",
        ]
        for figure in sorted(figures, key=lambda figure: figure.target is None):
            cells = (figure.what, figure.shown, figure.wanted, _REACHED[figure.reached], figure.absolute)
            parts.append(f"| {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"
