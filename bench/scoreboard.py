"""The scoreboard as JSON and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from bench.measurement import Measurement

Board = Mapping[str, Sequence[Measurement]]
"""The measurements of each section."""

_REACHED = {None: "", True: "yes", False: "**no**"}


def as_json(machine: Mapping[str, str], board: Board) -> dict[str, object]:
    """Return the scoreboard as JSON values."""
    figures = [
        {"section": section, "what": figure.name, **_values(figure), "reached": figure.reached}
        for section, lines in board.items()
        for figure in lines
    ]
    return {"machine": dict(machine), "figures": figures}


def as_markdown(machine: Mapping[str, str], board: Board) -> str:
    """Return a table for each section; measurements with a target come first."""
    parts = ["# Scoreboard", ""]
    parts += [f"- {item}: {text}" for item, text in machine.items()]
    for section, figures in board.items():
        parts += [
            "",
            f"## {section}",
            "",
            "| measurement | value | target | reached | |",
            "| --- | ---: | ---: | --- | --- |",
        ]
        for figure in sorted(figures, key=lambda figure: figure.target is None):
            cells = (figure.name, figure.shown, figure.target_text, _REACHED[figure.reached], figure.absolute)
            parts.append(f"| {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


def _values(figure: Measurement) -> dict[str, object]:
    return {name: value for name, value in asdict(figure).items() if name != "name"}
