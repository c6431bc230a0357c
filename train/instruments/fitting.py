"""Fitting of the pitched instruments to reference notes, and the files of fitted parameters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import numpy as np

from train.instruments.analysis import (
    aligned,
    fit_note,
    frequency_of,
    harmonic_ratios,
    mode_ratios,
    with_envelope,
)
from train.instruments.drum_analysis import fit_drum, noise_seed
from train.instruments.note import FLOOR, NOISE_CENTERS, TIMES, Note
from train.instruments.references import Reference, Signal
from train.instruments.stroke import STROKE_EDGES, STROKE_TIMES

PARAMETERS: Final = Path(__file__).parent / "parameters"
_HARMONICS: Final = 40
_QUIETEST: Final = 85.0
"""dB below a note's loudest level at which its levels end."""


class Kind(Enum):
    """The rule for finding the partials of an instrument."""

    REED = "multiples of the fundamental"
    STRING = "multiples of the fundamental, stretched by stiffness"
    BAR = "the modes of a vibraphone's bar"
    DRUM = "peaks of the spectrum"


@dataclass(frozen=True, slots=True)
class Source:
    """A set of reference notes, and the kind of instrument to fit to them."""

    folder: str
    credit: str
    kind: Kind = Kind.STRING
    rings: bool = False
    """True for a drum whose pad rings on in a loop."""


_VIRTUOSITY: Final = 'Versilian Studios and Karoryfer "Virtuosity Drums": github.com/adewale/keyboardia, CC0'

SOURCES: Final = (
    Source(
        "rhodes-mk1",
        "Rhodes Mark I of 1977, recorded by Jeff Learman: github.com/sfzinstruments/Discord-SFZ-GM-Bank, CC0",
        Kind.REED,
    ),
    Source(
        "wurlitzer-ep200",
        "Wurlitzer EP200, recorded by Greg Sullivan: github.com/sfzinstruments/GregSullivan.E-Pianos, CC BY 3.0",
        Kind.REED,
    ),
    Source(
        "upright-piano",
        'Kawai upright, FreePats "Upright piano KW": github.com/freepats/upright-piano-KW, CC0',
        Kind.STRING,
    ),
    Source("double-bass-pizz", 'Double bass, Karoryfer "Meatbass": github.com/adewale/keyboardia, CC0', Kind.REED),
    Source(
        "vibraphone",
        "Vibraphone, Versilian Community Sample Library: github.com/adewale/keyboardia, CC0",
        Kind.BAR,
    ),
    *(
        Source(folder, f"{name}, {_VIRTUOSITY}", Kind.DRUM, rings=folder in ("hihat-open", "ride"))
        for folder, name in (
            ("kick", "Bass drum"),
            ("snare", "Snare drum"),
            ("hihat-closed", "Hi-hat, closed"),
            ("hihat-open", "Hi-hat, open"),
            ("ride", "Ride cymbal"),
        )
    ),
    Source("snare-brush", 'Snare drum, Karoryfer "Swirly Drums": github.com/adewale/keyboardia, CC0', Kind.DRUM),
)


@dataclass(frozen=True, slots=True)
class FittedNote:
    """The parameters of one reference note."""

    pitch: int
    velocity: int
    take: int
    note: Note


def fit_reference(source: Source, reference: Reference) -> FittedNote:
    """Return the parameters that reproduce a reference note."""
    recording = aligned(reference.signal())
    nominal = frequency_of(reference.note)
    if source.kind is Kind.DRUM:
        note = fit_drum(recording, noise_seed(reference.take), rings=source.rings)
    elif source.kind is Kind.BAR:
        fundamental, _ = harmonic_ratios(recording, nominal, 1, stretch=False)
        ratios = mode_ratios(recording, fundamental, bar_modes(reference.note))
        note = with_envelope(fit_note(recording, fundamental, ratios, spacing=3 * fundamental), recording)
    else:
        stretch = source.kind is Kind.STRING
        fundamental, ratios = harmonic_ratios(recording, nominal, _HARMONICS, stretch=stretch)
        note = with_envelope(fit_note(recording, fundamental, ratios), recording)
    return FittedNote(reference.note, reference.velocity, reference.take, note)


def bar_modes(pitch: int) -> Signal:
    """Return the approximate modes of a vibraphone bar, F3 to C6, as multiples of the fundamental."""
    above = pitch - 53
    return np.array([1.0, 4.0, 11.0 - 0.12 * above, 7.17 * np.exp(-0.0235 * above), 20 * np.exp(-0.0225 * above)])


def write_parameters(path: Path, source: Source, notes: list[FittedNote]) -> None:
    """Write the parameters of an instrument's notes as JSON; levels are whole dB relative to the note's loudest."""
    rows = [json.dumps(_row(fitted), separators=(",", ":")) for fitted in notes]
    head: dict[str, object] = {
        "references": source.credit,
        "times_s": TIMES.tolist(),
        "noise_bands_hz": [round(hertz) for hertz in NOISE_CENTERS],
    }
    if source.kind is Kind.DRUM:
        head |= {"stroke_times_s": STROKE_TIMES.tolist(), "stroke_edges_hz": list(STROKE_EDGES)}
    text = json.dumps(head, indent=1, ensure_ascii=False)[:-2]
    path.write_text(f'{text},\n "notes": [\n  ' + ",\n  ".join(rows) + "\n ]\n}\n")


def read_parameters(path: Path) -> list[FittedNote]:
    """Read the parameters from a file of `write_parameters`."""
    return [_note(row) for row in json.loads(path.read_text())["notes"]]


def _row(fitted: FittedNote) -> dict[str, object]:
    note = fitted.note
    top = max(note.partials.max(), note.noise.max())

    def whole(levels: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[list[int]]:
        return [[int(level) for level in np.maximum(np.round(row - top), -_QUIETEST)] for row in levels]

    partials = whole(note.partials)
    while len(partials) > 1 and max(partials[-1]) <= -_QUIETEST:
        partials.pop()
    row: dict[str, object] = {
        "pitch": fitted.pitch,
        "velocity": fitted.velocity,
        "take": fitted.take,
        "hertz": round(note.frequency, 2),
        "level": round(float(top), 1),
        "ratios": [round(float(ratio), 4) for ratio in note.ratios[: len(partials)]],
        "partials": partials,
        "noise": whole(note.noise),
    }
    if note.phases is not None:
        row["phases"] = [round(float(phase), 2) for phase in note.phases[: len(partials)]]
    if note.stroke is not None:
        row["stroke"] = np.round(note.stroke).astype(int).tolist()
    return row


def _note(row: dict[str, object]) -> FittedNote:
    values = {name: np.array(row[name], dtype=float) for name in ("level", "ratios", "partials", "noise")}
    levels = {
        name: np.where(values[name] <= -_QUIETEST, FLOOR, values[name] + values["level"])
        for name in ("partials", "noise")
    }
    pitch, velocity, take = (int(str(row[name])) for name in ("pitch", "velocity", "take"))
    phases, stroke = (np.array(row[name], dtype=float) if name in row else None for name in ("phases", "stroke"))
    note = Note(float(str(row["hertz"])), values["ratios"], levels["partials"], levels["noise"], phases, stroke)
    return FittedNote(pitch, velocity, take, note)
