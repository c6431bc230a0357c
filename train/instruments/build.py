"""The build of the radio's soundfont and its card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from train.instruments import melodic
from train.instruments.fitting import PARAMETERS, SOURCES, fit_reference, write_parameters
from train.instruments.kits import build_kits
from train.instruments.loudness import measure_levels
from train.instruments.references import read_references
from train.instruments.soundfont import Preset, write
from train.instruments.zones import instrument_presets

NAME: Final = "Lo-fi radio"
_COMMENT: Final = (
    "Modelled instruments: no recording is in this file. Parameters of some were fitted to free recordings; "
    "the card beside this file names them."
)


def build(path: Path) -> list[Preset]:
    """Write the soundfont, and a card of the same name that documents its sources; return its presets."""
    presets = build_presets()
    write(path, presets, name=NAME, comment=_COMMENT)
    card = {
        "made by": "python -m train instruments",
        "licence": "Apache-2.0, as the radio",
        "method": "spectral modelling synthesis (partials and noise bands with levels over time), modal synthesis, "
        "and analog drum models; no sample is cut from a recording",
        "parameters fitted to": {source.folder: source.credit for source in SOURCES},
        "levelled to": "FluidR3_GM, program by program (Frank Wen, MIT): its notes' loudness, none of its samples",
        "programs": {str(preset.program): preset.name for preset in presets if preset.bank == 0},
        "kits, bank 128": {str(preset.program): preset.name for preset in presets if preset.bank == 128},
        "bytes": path.stat().st_size,
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    return presets


def build_presets(held_out: Mapping[str, frozenset[int]] | None = None) -> list[Preset]:
    """Return all presets.

    Args:
        held_out: pitches to leave out of the fitted parameters, by the name of the references.
    """
    pitched = [preset for instrument in melodic.instruments(held_out) for preset in instrument_presets(instrument)]
    return [*pitched, *build_kits()]


def fit(references: Path) -> None:
    """Fit every instrument to its reference notes, and store the parameters.

    Args:
        references: the folder with `manifest.csv`.
    """
    notes = read_references(references)
    for source in SOURCES:
        if source.folder in notes:
            fitted = [fit_reference(source, reference) for reference in notes[source.folder]]
            write_parameters(PARAMETERS / f"{source.folder}.json", source, fitted)
            print(f"{source.folder}: {len(fitted)} notes")


def measure(soundfont: Path) -> None:
    """Measure the loudness of another soundfont's notes, and store it as the target for ours."""
    pitched = {program for instrument in melodic.instruments() for program in instrument.programs}
    programs = {(0, program): (0, program) for program in pitched}
    programs |= {(128, program): (128, program) for program in (0, 8, 24, 25, 40)}
    measure_levels(soundfont, programs)
