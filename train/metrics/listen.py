"""The table of stations' figures, with those of real lo-fi and the goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from radio.settings.station import StationSettings
from train.metrics.arrangement import measure_audio
from train.metrics.drum_figures import DrumFigures
from train.metrics.judging import Judge, JudgeFigures
from train.metrics.music import compose
from train.metrics.references import SPREADS
from train.metrics.station_figures import AudioFigures, StationFigures, measure

JAZZ: Final = frozenset({"jazz"})
"""Styles whose drums may play more toms, and rides instead of hats, and whose keys leave the chord more often."""

HATTED: Final = frozenset({"hiphop", "soul"})
"""Styles that depend on closed hats."""


@dataclass(frozen=True)
class Row:
    """One row of the table.

    number: the goal's; empty for other figures. real: the figure of real lo-fi. goal: the goal as text. cell: returns
    the figure of a station as text. meets: returns True if the figures of a station meet the goal for its drum style.
    """

    number: str
    name: str
    real: str
    goal: str
    cell: Callable[[StationFigures], str]
    meets: Callable[[StationFigures, str], bool] | None = None


def _drums(
    cell: Callable[[DrumFigures], str], meets: Callable[[DrumFigures, str], bool] | None = None
) -> tuple[Callable[[StationFigures], str], Callable[[StationFigures, str], bool] | None]:
    """Return both functions for figures of drums, which not every station has."""
    return (
        lambda figures: cell(figures.drums) if figures.drums else "–",
        meets and (lambda figures, style: figures.drums is None or meets(figures.drums, style)),
    )


def _audio(
    cell: Callable[[AudioFigures], str], meets: Callable[[AudioFigures], bool] | None = None
) -> tuple[Callable[[StationFigures], str], Callable[[StationFigures, str], bool] | None]:
    """Return both functions for figures of rendered audio, which may be left out."""
    return (
        lambda figures: cell(figures.audio) if figures.audio else "–",
        meets and (lambda figures, _: figures.audio is None or meets(figures.audio)),
    )


def _judged(cell: Callable[[JudgeFigures], str]) -> Callable[[StationFigures], str]:
    """Return the function for figures of a learned judge, which may be left out."""
    return lambda figures: cell(figures.audio.judged) if figures.audio and figures.audio.judged else "–"


def _edges(shares: Mapping[str, float]) -> str:
    return f"{shares['low']:.0%}, {shares['high']:.0%}, {shares['either']:.0%}"


ROWS: Final = (
    Row("1", "keys: bars exactly the same after 4 bars", "57 %", "≥ 50 %",
        lambda figures: f"{figures.exact_bars:.0%}", lambda figures, _: figures.exact_bars >= 0.5),
    Row("", "keys: mean similarity after 4 bars", "0.72", "≥ 0.65",
        lambda figures: f"{figures.similar_bars:.2f}", lambda figures, _: figures.similar_bars >= 0.65),
    Row("2", "drums: similarity of neighboring bars outside fills", "0.57, programmed more", "≥ 0.8",
        *_drums(lambda drums: f"{drums.neighbors:.2f}", lambda drums, _: drums.neighbors >= 0.8)),
    Row("", "drums: different bars of 32", "", "", *_drums(lambda drums: f"{drums.different_bars:.0f}")),
    Row("3", "bars with neither hat nor ride", "1.5 %", "≤ 5 %",
        *_drums(lambda drums: f"{drums.without_cymbal:.1%}", lambda drums, _: drums.without_cymbal <= 0.05)),
    Row("", "closed hats a bar", "7.9", "≥ 6 (hip-hop, soul)",
        *_drums(lambda drums: f"{drums.closed_hats:.1f}",
                lambda drums, style: style not in HATTED or drums.closed_hats >= 6)),
    Row("4", "toms, share of hits", "1.7 %, jazz 10.9 %", "≤ 3 %, jazz ≤ 12 %",
        *_drums(lambda drums: f"{drums.toms:.1%}",
                lambda drums, style: drums.toms <= (0.12 if style in JAZZ else 0.03))),
    Row("5", "time in which lows or highs are away", "32 %", "15–35 %",
        *_audio(lambda audio: f"{audio.away:.0%}", lambda audio: 0.15 <= audio.away <= 0.35)),
    Row("", "tracks that open without lows, highs, either", "62 %, 72 %", "",
        *_audio(lambda audio: _edges(audio.opens_without))),
    Row("", "tracks that end without lows, highs, either", "", "",
        *_audio(lambda audio: _edges(audio.ends_without))),
    Row("6", "spread of the keys: median ratio to real", "1", "≥ 0.7",
        lambda figures: f"{figures.spread:.2f}", lambda figures, _: figures.spread >= 0.7),
    Row("7", "loudness range of a track, LU", "4.0 (1.9–10)", "3–6",
        *_audio(lambda audio: f"{audio.loudness_range:.1f}", lambda audio: 3 <= audio.loudness_range <= 6)),
    Row("", "Fréchet distance to the references", "", "",
        _judged(lambda judged: f"{judged.frechet:.0f} (their halves: {judged.halves:.0f})")),
    Row("", "told apart from the references", "0.5", "", _judged(lambda judged: f"{judged.told_apart:.2f}")),
    Row("", "tags: rock, electronic, chillout", "", "",
        _judged(lambda judged: ", ".join(f"{share:.2f}" for share in judged.tags.values()))),
    Row("8", "figures of the top line that recur within 8 bars", "0.37", "≥ 0.3",
        lambda figures: f"{figures.figures_recurring:.2f}", lambda figures, _: figures.figures_recurring >= 0.3),
    Row("9", "distance of a track's halves ÷ distance to the next track", "", "≤ 0.6",
        lambda figures: f"{figures.distance:.2f}", lambda figures, _: figures.distance <= 0.6),
    Row("10", "forms", "vary", "≥ 6", lambda figures: str(figures.forms), lambda figures, _: figures.forms >= 6),
    Row("", "lengths, s", "vary", "60–190",
        lambda figures: f"{figures.lengths[0]:.0f}–{figures.lengths[1]:.0f}",
        lambda figures, _: figures.lengths[0] >= 60 and figures.lengths[1] <= 190),
    Row("", "tempos, BPM", "vary", "within ± 8",
        lambda figures: f"{figures.tempos[0]:.0f}–{figures.tempos[1]:.0f}",
        lambda figures, _: 4 <= figures.tempos[1] - figures.tempos[0] <= 16),
    Row("", "chord tones, share of note time", "", "≥ 0.9, jazz ≥ 0.85",
        lambda figures: f"{figures.chord_tones:.3f}",
        lambda figures, style: figures.chord_tones >= (0.85 if style in JAZZ else 0.9)),
    Row("", "bars in which a layer of the form is silent", "", "0",
        lambda figures: str(figures.dead_bars), lambda figures, _: figures.dead_bars == 0),
    Row("", "longest note, beats", "", "≤ 8",
        lambda figures: f"{figures.longest_note:g}", lambda figures, _: figures.longest_note <= 8),
    Row("", "bass and keys a semitone apart for a beat or more", "", "0",
        lambda figures: str(figures.clashes), lambda figures, _: figures.clashes == 0),
    Row("", "drift of the register, semitones an hour", "", "0 within 2 errors",
        lambda figures: f"{figures.drift[0]:+.2f} ± {figures.drift[1]:.2f}",
        lambda figures, _: abs(figures.drift[0]) <= 2 * figures.drift[1]),
    Row("", "processor time of composing, s a minute", "", "",
        lambda figures: f"{figures.cpu:.2f}"),
)  # fmt: skip


def listen(
    stations: Sequence[StationSettings],
    *,
    hours: float,
    seeds: Sequence[int],
    audio_minutes: float,
    judge: Judge | None = None,
) -> dict[str, StationFigures]:
    """Compose `hours` of each station from each seed, render the beginning of the first, and measure all of it.

    A judge compares the rendered audio with its references.

    Raises:
        ModelError: A checkpoint cannot be used.
        AudioError: A soundfont or a loop cannot be used.
    """
    results = {}
    for settings in stations:
        runs = [compose(settings, hours=hours, seed=seed) for seed in seeds]
        audio = []
        if audio_minutes:
            audio = measure_audio(settings, minutes=audio_minutes, seed=seeds[0], judge=judge)
        results[settings.name] = measure(runs, audio, judge)
    return results


def table(results: Mapping[str, StationFigures], styles: Mapping[str, str]) -> str:
    """Return the figures as Markdown, one column for each station; those that miss their goal are bold.

    Args:
        results: Figures by station.
        styles: Style of the drums by station.
    """
    lines = [
        "| # | figure | real lo-fi | goal | " + " | ".join(results) + " |",
        "| --- | --- | --- | --- |" + " ---: |" * len(results),
    ]
    for row in ROWS:
        cells = [_cell(row, figures, styles[name]) for name, figures in results.items()]
        lines.append(" | ".join([f"| {row.number}", row.name, row.real, row.goal, *cells]) + " |")
    lines += [
        "",
        "| spread of the keys, ratio to real | " + " | ".join(results) + " |",
        "| --- |" + " ---: |" * len(results),
    ]
    for name in SPREADS:
        lines.append(f"| {name} | " + " | ".join(f"{figures.spreads[name]:.2f}" for figures in results.values()) + " |")
    return "\n".join(lines)


def missed(figures: StationFigures, style: str) -> list[str]:
    """Return the names of the rows whose goals the figures miss."""
    return [row.name for row in ROWS if row.meets and not row.meets(figures, style)]


def _cell(row: Row, figures: StationFigures, style: str) -> str:
    cell = row.cell(figures)
    return f"**{cell}**" if row.meets and not row.meets(figures, style) else cell
