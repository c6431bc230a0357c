"""Timbres that were fitted to reference notes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from train.instruments import timbres
from train.instruments.fitting import PARAMETERS, FittedNote, read_parameters
from train.instruments.interpolation import FittedInstrument
from train.instruments.note import FLOOR, Note
from train.instruments.timbres import Timbre


def fitted_timbre(name: str, *, width: float = 4.0, held_out: frozenset[int] = frozenset()) -> Timbre:
    """Return the timbre that was fitted to the reference notes of an instrument; its velocity is MIDI's.

    Args:
        name: the file of parameters.
        width: semitones over which neighbors are averaged.
        held_out: pitches that are left out.
    """
    return _instrument(name, width, held_out).note


@cache
def _instrument(name: str, width: float, held_out: frozenset[int]) -> FittedInstrument:
    notes: list[FittedNote] = read_parameters(PARAMETERS / f"{name}.json")
    return FittedInstrument([note for note in notes if note.pitch not in held_out], width=width)


def brightened(note: Note, amount: float) -> Note:
    """Return a note as if it were struck harder: the pickup's distortion makes high harmonics grow more than low ones.

    Args:
        note: the fitted note.
        amount: 0 as fitted; 1 is about twice as hard.
    """
    growth = amount * 1.2 * (np.minimum(note.ratios, 7.0) - 1)
    struck = np.where(note.noise > FLOOR, note.noise + 4 * amount, FLOOR)
    return replace(note, partials=np.maximum(note.partials + growth[:, None], FLOOR), noise=struck)


def rhodes(held_out: frozenset[int]) -> Timbre:
    """Return the Rhodes, whose pickup distorts more at higher velocities."""
    # The references have one velocity; the model extrapolates the layers around it.
    base = fitted_timbre("rhodes-mk1", width=5.0, held_out=held_out)
    amounts = np.array([[20, -1.6], [64, 0.0], [96, 0.5], [120, 1.5]])
    return lambda pitch, velocity: brightened(base(pitch, 64), float(np.interp(velocity, *amounts.T)))


def upright(held_out: frozenset[int]) -> Timbre:
    """Return the upright piano."""
    # The references have two velocities, 35 and 99; the model extrapolates beyond them.
    base = fitted_timbre("upright-piano", held_out=held_out)

    def note(pitch: float, velocity: float) -> Note:
        struck = base(pitch, velocity)
        tilt = float(np.interp(velocity, [20, 35, 99, 120], [-3.5, 0.0, 0.0, 3.5])) * np.log2(struck.ratios)
        return replace(struck, partials=np.maximum(struck.partials + tilt[:, None], FLOOR))

    return note


def felt(held_out: frozenset[int]) -> Timbre:
    """Return the upright with a strip of felt before its hammers."""
    base = fitted_timbre("upright-piano", held_out=held_out)

    def note(pitch: float, velocity: float) -> Note:
        struck = base(pitch, 35)
        hertz = struck.frequency * struck.ratios
        softness = 7 * np.log2(1 + (hertz / (350 + 12 * velocity)) ** 2)
        thump = timbres.puff(-44 + 0.06 * velocity, 260, 1.3, 0.15)
        noise = np.maximum(struck.noise - 10, thump)
        return replace(struck, partials=np.maximum(struck.partials - softness[:, None], FLOOR), noise=noise)

    return note
