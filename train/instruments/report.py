"""Distances of the instruments to reference notes left out of the fit, compared with a soundfont and a sampler."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from train.instruments import melodic
from train.instruments.analysis import aligned, frequency_of
from train.instruments.distance import distance
from train.instruments.drum_analysis import noise_seed
from train.instruments.envelopes import attack_time, decay_slopes
from train.instruments.fitting import PARAMETERS, SOURCES, Kind, Source, read_parameters
from train.instruments.instrument import Instrument
from train.instruments.kits import KITS, build_kits
from train.instruments.note import TIMES, render
from train.instruments.player import Player
from train.instruments.references import RATE, Reference, Signal, read_references
from train.instruments.soundfont import write
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
class Errors:
    """The medians of the relative errors of notes."""

    attack: float
    """Of the attack time."""
    decay: float
    """Of the slope of the decay."""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one instrument: mean distances in dB, and errors of the envelope."""

    instrument: str
    notes: int
    """Reference notes, each left out of the fit once."""
    ours: float
    other: float | None
    """The other soundfont."""
    sampler: float
    """The nearest reference that was not left out, resampled."""
    fitted: Errors
    """Of all notes, each rendered from its own fitted parameters."""
    left_out: Errors
    """Of the soundfont's notes."""
    nearest: Errors
    """Of the nearest references, resampled."""


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """A reference that was left out of the fit, and the notes that replace it."""

    reference: Reference
    ours: Signal
    nearest: Signal


def report(folder: Path, other: Path | None) -> list[Row]:
    """Return each instrument's row. Each third of the pitches, or of a drum's hits, is left out of the fit in turn.

    Args:
        folder: the reference notes.
        other: a General MIDI soundfont to compare with.
    """
    references = read_references(folder)
    sources = [source for source in SOURCES if source.folder in references]
    left_out: dict[str, list[_LeftOut]] = {source.folder: [] for source in sources}
    for third in range(_EVERY):
        with tempfile.TemporaryDirectory() as scratch:
            font = Path(scratch) / "left-out.sf2"
            pitched = [source for source in sources if source.kind is not Kind.DRUM]
            _leave_out_pitches(font, pitched, references, third, left_out)
            for source in sources:
                if source.kind is Kind.DRUM:
                    _leave_out_hits(font, source, references[source.folder], third, left_out)
    return [_row(source.folder, left_out[source.folder], other) for source in sources]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| instrument | notes | ours | FluidR3 | nearest | attack fit | ours | nearest | decay fit | ours | nearest |",
        f"| --- |{' ---: |' * 10}",
    ]
    for row in rows:
        other = "–" if row.other is None else f"{row.other:.1f}"
        lines.append(
            f"| {row.instrument} | {row.notes} | {row.ours:.1f} | {other} | {row.sampler:.1f} "
            f"| {row.fitted.attack:.0%} | {row.left_out.attack:.0%} | {row.nearest.attack:.0%} "
            f"| {row.fitted.decay:.0%} | {row.left_out.decay:.0%} | {row.nearest.decay:.0%} |"
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


def _leave_out_pitches(
    font: Path,
    sources: Sequence[Source],
    references: Mapping[str, Sequence[Reference]],
    third: int,
    out: Mapping[str, list[_LeftOut]],
) -> None:
    """Add the notes of a third of the pitches, played by instruments that were built without them."""
    held_out = {
        source.folder: frozenset(sorted({one.note for one in references[source.folder]})[third::_EVERY])
        for source in sources
    }
    presets = [
        preset
        for instrument in melodic.instruments(held_out)
        if _is_fitted(instrument)
        for preset in instrument_presets(instrument)
    ]
    write(font, presets, name="Left out", comment="")
    with Player(font) as player:
        for source in sources:
            notes = references[source.folder]
            chosen = [one for one in notes if one.note in held_out[source.folder]]
            out[source.folder].extend(_played(player, _PROGRAMS[source.folder], chosen, notes))


def _leave_out_hits(
    font: Path, source: Source, references: Sequence[Reference], third: int, out: Mapping[str, list[_LeftOut]]
) -> None:
    """Add a third of the hits of a drum, played by a kit that was built without them."""
    chosen = references[third::_EVERY]
    program = _PROGRAMS.get(source.folder, _ACOUSTIC_KIT)
    presets = build_kits(frozenset((one.velocity, one.take) for one in chosen), (program[1],))
    write(font, presets, name="Left out", comment="")
    with Player(font) as player:
        out[source.folder].extend(_played(player, program, chosen, references))


def _played(
    player: Player, program: tuple[int, int], chosen: Sequence[Reference], references: Sequence[Reference]
) -> list[_LeftOut]:
    others = [one for one in references if one not in chosen]
    return [
        _LeftOut(one, player.note(*program, one.note, one.velocity), _resampled(_nearest(one, others), one.note))
        for one in chosen
    ]


def _others(program: tuple[int, int], references: Sequence[Reference], soundfont: Path | None) -> list[Signal]:
    if soundfont is None:
        return []
    with Player(soundfont) as player:
        return [player.note(*program, reference.note, reference.velocity) for reference in references]


def _row(name: str, left_out: Sequence[_LeftOut], other: Path | None) -> Row:
    references = [one.reference for one in left_out]
    goals = [aligned(reference.signal()) for reference in references]
    pitches = [_hertz(reference) for reference in references]
    ours, nearest = [one.ours for one in left_out], [one.nearest for one in left_out]
    compared = _others(_PROGRAMS.get(name, _ACOUSTIC_KIT), references, other)
    return Row(
        name,
        len(left_out),
        _mean_distance(goals, ours),
        _mean_distance(goals, compared) if compared else None,
        _mean_distance(goals, nearest),
        _fit_errors(name, references, goals),
        _errors(goals, ours, pitches),
        _errors(goals, nearest, pitches),
    )


def _fit_errors(name: str, references: Sequence[Reference], goals: Sequence[Signal]) -> Errors:
    """Return the errors of notes rendered from their own fitted parameters."""
    notes = {(note.pitch, note.velocity, note.take): note.note for note in read_parameters(PARAMETERS / f"{name}.json")}
    pitches = [_hertz(reference) for reference in references]
    rendered = [
        render(notes[one.note, one.velocity, one.take], TIMES[-1] + 0.4, seed=1 if hertz else noise_seed(one.take))
        for one, hertz in zip(references, pitches, strict=True)
    ]
    return _errors(goals, rendered, pitches)


def _hertz(reference: Reference) -> float:
    """Return a reference's fundamental; 0 for a drum."""
    drums = {source.folder for source in SOURCES if source.kind is Kind.DRUM}
    return 0.0 if reference.instrument in drums else frequency_of(reference.note)


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


def _errors(goals: Sequence[Signal], notes: Sequence[Signal], pitches: Sequence[float]) -> Errors:
    """Return the median relative errors of notes; 0 Hz means a drum."""
    attacks, decays = [], []
    for goal, note, hertz in zip(goals, notes, pitches, strict=True):
        wanted = attack_time(goal, hertz)
        attacks.append(abs(attack_time(note, hertz) / wanted - 1))
        slopes = decay_slopes(goal, note, hertz)
        if slopes:
            decays.append(abs(slopes[1] / slopes[0] - 1))
    return Errors(float(np.median(attacks)), float(np.median(decays)))
