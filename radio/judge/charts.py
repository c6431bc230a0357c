"""SVG charts for reports: lines and bars of two or more recordings. Colors are classes that the page defines."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final, NamedTuple

WIDTH: Final = 720
HEIGHT: Final = 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 16, 10, 30


class Series(NamedTuple):
    """A line: its points from left to right; values that are not finite leave a gap."""

    name: str
    points: Sequence[tuple[float, float]]


class Axis(NamedTuple):
    """A horizontal axis: its limits, the values of its labels, and a function that returns the label of a value."""

    low: float
    high: float
    ticks: Sequence[float]
    words: Callable[[float], str]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Return the position of a value, 0 at the left and 1 at the right."""
        low, high, at = (math.log(x) if self.logarithmic else x for x in (self.low, self.high, value))
        return (at - low) / (high - low) if high > low else 0.0


def lines(series: Sequence[Series], axis: Axis, *, low: float, high: float, title: str) -> str:
    """Return a chart of lines; values outside `low` to `high` are drawn at the edge."""
    parts = [*_grid(low, high), *_ticks(axis)]
    for number, one in enumerate(series):
        runs: list[list[str]] = [[]]
        for x, y in one.points:
            if math.isfinite(y):
                runs[-1].append(f"{_x(axis.share(x)):.1f},{_y(y, low, high):.1f}")
            elif runs[-1]:
                runs.append([])
        parts += [f'<polyline class="line s{number}" points="{" ".join(run)}"/>' for run in runs if run]
    return _svg(parts, title)


def bars(names: Sequence[str], values: Sequence[Sequence[float]], *, low: float, high: float, title: str) -> str:
    """Return a chart of bars that start at `low`: a group for each name, with a bar for each recording.

    Args:
        names: the groups.
        values: for each recording, a value for each group.
        low: value at the bottom.
        high: value at the top.
        title: for screen readers.
    """
    parts = _grid(low, high)
    group = (WIDTH - _LEFT - _RIGHT) / len(names)
    width = 0.72 * group / len(values)
    for place, name in enumerate(names):
        start = _LEFT + (place + 0.14) * group
        for number, recording in enumerate(values):
            top = _y(recording[place], low, high)
            parts.append(
                f'<rect class="bar s{number}" x="{start + number * width:.1f}" y="{top:.1f}" width="{width - 1.5:.1f}" '
                f'height="{HEIGHT - _BOTTOM - top:.1f}"><title>{escape(name)}: {recording[place]:.2f}</title></rect>'
            )
        parts.append(_label(_LEFT + (place + 0.5) * group, name))
    return _svg(parts, title)


def nice_step(span: float) -> float:
    """Return a step of 1, 2 or 5 times a power of ten that divides a span into at most six parts."""
    power = 10.0 ** math.floor(math.log10(span / 6))
    return next(step * power for step in (1, 2, 5, 10) if span / (step * power) <= 6)


def _grid(low: float, high: float) -> list[str]:
    step = nice_step(high - low)
    parts = []
    for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        y = _y(number * step, low, high)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number * step:g}</text>')
    return parts


def _ticks(axis: Axis) -> list[str]:
    return [_label(_x(axis.share(tick)), axis.words(tick)) for tick in axis.ticks]


def _label(x: float, words: str) -> str:
    """Return a label below the chart."""
    return f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(words)}</text>'


def _x(share: float) -> float:
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _y(value: float, low: float, high: float) -> float:
    share = (min(max(value, low), high) - low) / (high - low)
    return HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP)


def _svg(parts: Sequence[str], title: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
