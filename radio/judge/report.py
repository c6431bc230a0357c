"""A report that compares recordings: one HTML file with charts and a table, without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from radio.judge.charts import Axis, Series, bars, lines, nice_step
from radio.judge.measures import BANDS
from radio.judge.score import Score
from radio.judge.table import shown_tags
from radio.music.names import shown_name

_TAGS: Final = 8
_HERTZ: Final = (31.5, 63, 125, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)
_STYLE: Final = """
:root { color-scheme: light dark; --text: light-dark(#2b1f1a, #f1ebe4); --muted: light-dark(#6d5f57, #b8aca2);
  --grid: light-dark(#2b1f1a1c, #f1ebe41c); --s0: light-dark(#b04a26, #f0a27c); --s1: light-dark(#2f6c94, #86c1e6);
  --s2: light-dark(#5d7c2c, #b3d47e); --s3: light-dark(#7d4b8e, #d4a5e4); }
body { margin: 0 auto; padding: 1.5rem; max-width: 780px; color: var(--text);
  background: light-dark(#fbf6f1, #18141a); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 1.8rem 0 0.3rem; }
p { margin: 0.2rem 0; color: var(--muted); }
svg { width: 100%; min-width: 560px; height: auto; display: block; }
.tick { fill: var(--muted); font-size: 12px; } .grid { stroke: var(--grid); }
.line { fill: none; stroke-width: 2; } .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem;
  padding: 0; }
.legend i { display: inline-block; width: 0.8rem; height: 0.8rem; margin-right: 0.4rem; border-radius: 3px; }
.line.s0 { stroke: var(--s0); } .line.s1 { stroke: var(--s1); } .line.s2 { stroke: var(--s2); }
.line.s3 { stroke: var(--s3); } .bar.s0, i.s0 { fill: var(--s0); background: var(--s0); }
.bar.s1, i.s1 { fill: var(--s1); background: var(--s1); } .bar.s2, i.s2 { fill: var(--s2); background: var(--s2); }
.bar.s3, i.s3 { fill: var(--s3); background: var(--s3); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--grid); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 9rem; }
"""


def html(scores: Sequence[Score], names: Sequence[str], markdown: str, footnote: str = "") -> str:
    """Return a page that compares recordings: spectra, bands, loudness over time, tags, and all figures.

    Args:
        scores: two to four recordings.
        names: the names of the tags.
        markdown: the table of all figures, from `radio.judge.table`.
        footnote: a sentence below the table.
    """
    files = [shown_name(one.path) for one in scores]
    legend = "".join(f'<li><i class="s{number}"></i>{escape(name)}</li>' for number, name in enumerate(files))
    sections = [
        ("Spectrum", "Third octaves, in dB relative to the whole.", _spectra(scores)),
        ("Bands", "In dB relative to the whole.", _bands(scores)),
        ("Loudness over time", "Short-term loudness (3 s) in LUFS, over minutes.", _courses(scores)),
        ("Tags", "Mean probabilities according to the tagger.", _tags(scores, names)),
    ]
    body = "".join(
        f'<section><h2>{title}</h2><p>{words}</p><div class="scroll">{chart}</div></section>'
        for title, words, chart in sections
    )
    title = escape(" and ".join(files))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{title}</title><style>{_STYLE}</style></head>'
        f'<body><h1>{title}</h1><ul class="legend">{legend}</ul>{body}'
        f'<section><h2>All figures</h2><div class="scroll">{_table(markdown)}</div><p>{escape(footnote)}</p></section>'
        "</body></html>\n"
    )


def _spectra(scores: Sequence[Score]) -> str:
    series = [Series(shown_name(one.path), list(one.measures.spectrum.items())) for one in scores]
    axis = Axis(25, 16_000, _HERTZ, lambda hertz: f"{hertz / 1_000:g}k" if hertz >= 1_000 else f"{hertz:g}", True)
    return lines(series, axis, low=-60, high=0, title="Spectra")


def _bands(scores: Sequence[Score]) -> str:
    values = [list(one.measures.bands.values()) for one in scores]
    return bars([name.removesuffix(" Hz") for name in BANDS], values, low=-60, high=0, title="Levels of bands")


def _courses(scores: Sequence[Score]) -> str:
    series = [
        Series(
            shown_name(one.path),
            [((place + 30) / 600, float(value)) for place, value in enumerate(one.measures.course)],
        )
        for one in scores
    ]
    minutes = max(max(one.measures.seconds for one in scores) / 60, 0.1)
    step = nice_step(minutes)
    ticks = [number * step for number in range(int(minutes / step) + 1)]
    return lines(series, Axis(0, minutes, ticks, lambda at: f"{at:g}"), low=-45, high=-5, title="Loudness over time")


def _tags(scores: Sequence[Score], names: Sequence[str]) -> str:
    places = shown_tags(scores, names)[:_TAGS]
    values = [[float(one.tags[place]) for place in places] for one in scores]
    highest = max(0.1, *(value for recording in values for value in recording))
    return bars([names[place] for place in places], values, low=0, high=highest, title="Tags")


def _table(markdown: str) -> str:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]
    head, _, *body = rows
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines_ = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{lines_}</tbody></table>"
