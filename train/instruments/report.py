"""Distances of the instruments to reference notes that were not fitted, beside other soundfonts' and a sampler's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from train.instruments import melodic
from train.instruments.analysis import aligned
from train.instruments.distance import distance
from train.instruments.fitting import SOURCES, Kind, Source
from train.instruments.instrument import Instrument
from train.instruments.kits import KITS, build_kits
from train.instruments.player import Player
from train.instruments.references import RATE, Reference, Signal, read_references
from train.instruments.soundfont import Preset, write
from train.instruments.zones import instrument_presets

_PROGRAMS: Final = {
    "rhodes-mk1": (0, 4),
    "wurlitzer-ep200": (0, 5),
    "upright-piano": (0, 0),
    "double-bass-pizz": (0, 32),
    "vibraphone": (0, 11),
    "snare-brush": (128, 40),
}
_ACOUSTIC_KIT: Final = (128, 8)
_EVERY: Final = 3


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one instrument: mean distances in dB, and medians of the relative errors of its envelope."""

    instrument: str
    notes: int
    """Reference notes that were left out of the fit."""
    ours: float
    other: float | None
    """The other soundfont."""
    sampler: float
    """The nearest reference that was not left out, resampled."""
    attack: float
    """Relative error of the time from 10 % to 90 % of the peak."""
    decay: float
    """Relative error of the slope between 0.1 and 1 second."""


def report(folder: Path, other: Path | None) -> list[Row]:
    """Return each instrument's row. The fitted parameters of every third pitch, or hit of a drum, are left out.

    Args:
        folder: the reference notes.
        other: a General MIDI soundfont to compare with.
    """
    references = read_references(folder)
    pitched = {
        source.folder: frozenset(_held_out_pitches(references[source.folder]))
        for source in SOURCES
        if source.kind is not Kind.DRUM and source.folder in references
    }
    with tempfile.TemporaryDirectory() as scratch:
        font = Path(scratch) / "held-out.sf2"
        presets = [
            preset
            for instrument in melodic.instruments(pitched)
            if _is_fitted(instrument)
            for preset in instrument_presets(instrument)
        ]
        write(font, presets, name="Held out", comment="")
        with Player(font) as ours:
            rows = [
                _row(source.folder, references[source.folder], pitched[source.folder], ours, other)
                for source in SOURCES
                if source.folder in pitched
            ]
    return rows + [
        _drum_row(source, references[source.folder], other) for source in SOURCES if source.kind is Kind.DRUM
    ]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| instrument | notes left out | ours | FluidR3 | nearest note resampled | attack | decay |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        other = "–" if row.other is None else f"{row.other:.1f}"
        lines.append(
            f"| {row.instrument} | {row.notes} | {row.ours:.1f} | {other} | {row.sampler:.1f} "
            f"| {row.attack:.0%} | {row.decay:.0%} |"
        )
    return "\n".join(lines)


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw the distances as bars."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(rows))
    series = (
        ("FluidR3", [row.other or 0 for row in rows], "#c9c2b8"),
        ("nearest note resampled", [row.sampler for row in rows], "#8fa3b0"),
        ("ours", [row.ours for row in rows], "#d9822b"),
    )
    for shift, (label, values, color) in enumerate(series):
        axes.bar(places + 0.27 * (shift - 1), values, 0.25, label=label, color=color)
    axes.set_xticks(places, [row.instrument for row in rows], rotation=25, ha="right")
    axes.set_ylabel("log-mel distance to notes left out, dB")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def plot_notes(soundfont: Path, path: Path) -> None:
    """Draw spectrograms of a note of each program, and of a bar of each kit."""
    from matplotlib.figure import Figure

    programs = {instrument.programs[0]: instrument.title for instrument in melodic.instruments()}
    kits = {program: title for program, (title, _) in KITS.items()}
    figure = Figure(figsize=(11, 10), layout="constrained")
    grid = figure.subplots(5, 5).ravel()
    with Player(soundfont) as player:
        panels = [
            (title, player.stereo(0, program, [(0.05, 41 if program in (32, 33, 38) else 60, 90)], 2.0))
            for program, title in programs.items()
        ]
        panels += [(title, player.stereo(128, program, _beat(), 2.0)) for program, title in kits.items()]
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes, (title, sound) in zip(grid, panels, strict=False):
        axes.specgram(sound.mean(axis=1) + 1e-9, NFFT=1024, Fs=RATE, noverlap=768, vmin=-140, vmax=-45, cmap="magma")
        axes.set_title(title, fontsize=8)
        axes.set_yscale("symlog", linthresh=500)
        axes.set_ylim(40, 12_000)
        axes.set_yticks([100, 1000, 10_000], ["100", "1k", "10k"], fontsize=6)
        axes.tick_params(axis="x", labelsize=6)
    figure.savefig(path, dpi=70)


def _beat() -> list[tuple[float, int, int]]:
    hats = [(0.05 + 0.25 * eighth, 42, 70 - 20 * (eighth % 2)) for eighth in range(7)] + [(1.8, 46, 70)]
    return [*hats, (0.05, 36, 95), (0.55, 38, 90), (1.3, 36, 85), (1.55, 38, 95)]


def _is_fitted(instrument: Instrument) -> bool:
    return any((0, program) in _PROGRAMS.values() for program in instrument.programs)


def _held_out_pitches(references: Sequence[Reference]) -> list[int]:
    return sorted({reference.note for reference in references})[1::_EVERY]


def _row(name: str, references: Sequence[Reference], held_out: frozenset[int], ours: Player, other: Path | None) -> Row:
    left_out = [reference for reference in references if reference.note in held_out]
    fitted = [reference for reference in references if reference.note not in held_out]
    program = _PROGRAMS[name]
    played = [ours.note(*program, reference.note, reference.velocity) for reference in left_out]
    return _figures(name, left_out, fitted, played, _others(program, left_out, other))


def _drum_row(source: Source, references: Sequence[Reference], other: Path | None) -> Row:
    left_out = references[1::_EVERY]
    fitted = [reference for reference in references if reference not in left_out]
    program = _PROGRAMS.get(source.folder, _ACOUSTIC_KIT)
    keys = frozenset((reference.velocity, reference.take) for reference in left_out)
    with tempfile.TemporaryDirectory() as scratch:
        font = Path(scratch) / "kit.sf2"
        presets: list[Preset] = build_kits(keys, (program[1],))
        write(font, presets, name="Held out", comment="")
        with Player(font) as player:
            played = [player.note(*program, reference.note, reference.velocity) for reference in left_out]
    return _figures(source.folder, left_out, fitted, played, _others(program, left_out, other))


def _others(program: tuple[int, int], references: Sequence[Reference], soundfont: Path | None) -> list[Signal]:
    if soundfont is None:
        return []
    with Player(soundfont) as player:
        return [player.note(*program, reference.note, reference.velocity) for reference in references]


def _figures(
    name: str, left_out: Sequence[Reference], fitted: Sequence[Reference], played: list[Signal], compared: list[Signal]
) -> Row:
    goals = [aligned(reference.signal()) for reference in left_out]
    nearest = [_resampled(_nearest(reference, fitted), reference.note) for reference in left_out]
    return Row(
        name,
        len(left_out),
        _mean_distance(goals, played),
        _mean_distance(goals, compared) if compared else None,
        _mean_distance(goals, nearest),
        _median_error(goals, played, attack_time),
        _median_error(goals, played, decay_slope),
    )


def _nearest(goal: Reference, choices: Sequence[Reference]) -> Reference:
    def apart(choice: Reference) -> tuple[int, int]:
        return abs(choice.note - goal.note) + abs(choice.velocity - goal.velocity) // 4, abs(choice.take - goal.take)

    return min(choices, key=apart)


def _mean_distance(goals: Sequence[Signal], notes: Sequence[Signal]) -> float:
    """Return the mean distance, each note cut to the length of its reference."""
    pairs = zip(goals, notes, strict=True)
    return float(np.mean([distance(goal, np.where(np.arange(len(note)) < len(goal), note, 0)) for goal, note in pairs]))


def _resampled(reference: Reference, pitch: int) -> Signal:
    note, speed = aligned(reference.signal()), 2 ** ((pitch - reference.note) / 12)
    places = np.arange(int(len(note) / speed)) * speed
    return np.asarray(np.interp(places, np.arange(len(note)), note))


def envelope(note: Signal) -> Signal:
    """Return the RMS of a note in windows of 10 ms, every millisecond."""
    step = RATE // 1000
    total = np.concatenate([[0], np.cumsum(note**2)])
    starts = np.arange(0, len(note) - 10 * step, step)
    return np.asarray(np.sqrt((total[starts + 10 * step] - total[starts]) / (10 * step)))


def attack_time(note: Signal) -> float:
    """Return the milliseconds from 10 % of the peak to 90 % of it."""
    level = envelope(np.pad(note, (RATE // 50, 0)))[:500]
    peak = level.max()
    return float(np.argmax(level > 0.9 * peak) - np.argmax(level > 0.1 * peak)) + 1


def decay_slope(note: Signal) -> float:
    """Return by how many dB a second a note falls between 0.1 and 1 second, while it is within 50 dB of its peak."""
    level = 20 * np.log10(envelope(note) + 1e-9)
    times = np.arange(len(level)) / 1000
    used = (times > 0.1) & (times < 1.0) & (level > level.max() - 50)
    return float(-np.polyfit(times[used], level[used], 1)[0]) if used.sum() > 50 else 0.0


def _median_error(goals: Sequence[Signal], notes: Sequence[Signal], figure: Callable[[Signal], float]) -> float:
    pairs = [(figure(goal), figure(note)) for goal, note in zip(goals, notes, strict=True)]
    return float(np.median([abs(note / goal - 1) for goal, note in pairs if goal]))
