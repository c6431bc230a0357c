"""Tables of scores in Markdown: a row for each measure, a column for each recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from statistics import median
from typing import Final, NamedTuple

from radio.judge.measures import BANDS, Measures
from radio.judge.score import Comparison, Score
from radio.music.names import shown, shown_name
from radio.types import JsonValue

TAGS: Final = ("chillout", "chill", "Mellow", "ambient", "electronic", "Hip-Hop", "jazz", "instrumental", "rock")
"""Tags that distinguish lo-fi from other music; tables always show them."""
_MORE_TAGS: Final = 5


class Row(NamedTuple):
    """A measure: its name, unit, JSON key, function, and number of decimals."""

    name: str
    unit: str
    key: str
    value: Callable[[Measures], float]
    digits: int = 1

    @property
    def title(self) -> str:
        """Name and unit."""
        return f"{self.name}, {self.unit}"

    def text(self, value: float) -> str:
        """Return the text of a cell with this value."""
        return f"{value:.{self.digits}f}"


def _band(name: str) -> Row:
    return Row(name, "dB relative to the whole", f"band {name}", lambda measures: measures.bands[name])


ROWS: Final = (
    Row("length", "s", "seconds", lambda measures: measures.seconds),
    Row("loudness", "LUFS", "loudness", lambda measures: measures.loudness),
    Row("true peak", "dBTP", "true_peak", lambda measures: measures.true_peak),
    Row("loudness range", "LU", "loudness_range", lambda measures: measures.loudness_range),
    Row("deviation of short-term loudness", "LU", "short_term_deviation", lambda all_: all_.short_term_deviation),
    Row("peak to loudness", "dB", "peak_to_loudness", lambda measures: measures.peak_to_loudness),
    Row("crest factor", "dB", "crest", lambda measures: measures.crest),
    Row("tilt", "dB per octave", "tilt", lambda measures: measures.tilt),
    Row("side to middle", "dB", "side_to_middle", lambda measures: measures.side_to_middle),
    *map(_band, BANDS),
)
"""The rows of all measures."""


def markdown(
    scores: Sequence[Score],
    names: Sequence[str],
    references: Sequence[Score] = (),
    comparisons: Sequence[Comparison] = (),
    *,
    differences: bool = False,
) -> str:
    """Return a table of recordings. If there are references, the last column has their medians (for tags, means).

    Args:
        scores: the recordings.
        names: the names of the tags.
        references: recordings to compare with.
        comparisons: the comparison of each recording with the references, or none.
        differences: add a column with the differences of the second recording from the first.
    """
    head = ["measure", *(shown_name(one.path).replace("|", "/") for one in scores)]
    head += ["difference"] * differences + [f"references ({len(references)})"] * bool(references)
    rows = [[row.title, *_cells(row, scores, references, differences)] for row in ROWS]
    rows += [
        [f"tag: {names[place]}", *_tag_cells(place, scores, references, differences)]
        for place in shown_tags([*scores, *references], names)
    ]
    if comparisons:
        rows.append(["Fréchet distance to the references", *(decimal(one.frechet, 1) for one in comparisons)])
        rows.append(
            ["told apart from the references (0.5: chance)", *(decimal(one.told_apart, 2) for one in comparisons)]
        )
    return "\n".join(_lines(head, rows))


def decimal(value: float | None, digits: int) -> str:
    """Return a figure as text, or a dash if there is none because the recordings are too short."""
    return "–" if value is None else f"{value:.{digits}f}"


def shown_tags(scores: Sequence[Score], names: Sequence[str]) -> list[int]:
    """Return the indices of the tags that a table shows: those of `TAGS`, and the likeliest of each recording."""
    places = {names.index(name) for name in TAGS if name in names}
    for one in scores:
        places |= {int(place) for place in one.tags.argsort()[::-1][:_MORE_TAGS]}
    return sorted(places, key=lambda place: -max(float(one.tags[place]) for one in scores))


def as_json(one: Score, names: Sequence[str], comparison: Comparison | None = None) -> dict[str, JsonValue]:
    """Return a score as JSON: measures by name, and `tags`. Measures that are undefined for silence are None."""
    tags: dict[str, JsonValue] = {name: round(float(value), 4) for name, value in zip(names, one.tags, strict=True)}
    measures: dict[str, JsonValue] = {row.key: _rounded(row.value(one.measures)) for row in ROWS}
    against: Mapping[str, JsonValue] = {} if comparison is None else comparison._asdict()
    return {"file": shown(one.path), **measures, "tags": tags, **against}


def _rounded(value: float) -> float | None:
    return round(value, 3) if isfinite(value) else None


def _cells(row: Row, scores: Sequence[Score], references: Sequence[Score], differences: bool) -> Iterator[str]:
    values = [row.value(one.measures) for one in scores]
    yield from map(row.text, values)
    if differences:
        yield f"{values[1] - values[0]:+.{row.digits}f}"
    if references:
        yield row.text(median(row.value(one.measures) for one in references))


def _tag_cells(place: int, scores: Sequence[Score], references: Sequence[Score], differences: bool) -> Iterator[str]:
    values = [float(one.tags[place]) for one in scores]
    yield from (f"{value:.2f}" for value in values)
    if differences:
        yield f"{values[1] - values[0]:+.2f}"
    if references:
        yield f"{sum(float(one.tags[place]) for one in references) / len(references):.2f}"


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table with aligned columns; rows that are too short get empty cells."""
    table = [list(head), *([*row, *[""] * (len(head) - len(row))][: len(head)] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for number, row in enumerate(table):
        cells = [f"{cell:{'<' if not column else '>'}{widths[column]}}" for column, cell in enumerate(row)]
        yield f"| {' | '.join(cells)} |"
        if not number:
            yield f"| {'-' * widths[0]} | {' | '.join('-' * (width - 1) + ':' for width in widths[1:])} |"
