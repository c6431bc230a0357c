"""Notes between the fitted ones: a local regression of every parameter on pitch and velocity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from train.instruments.analysis import frequency_of
from train.instruments.fitting import FittedNote
from train.instruments.note import FLOOR, Note
from train.instruments.references import Signal

_STIFFNESS: Final = 0.3
"""Weight of the penalty on slopes, so that few neighbors give a mean rather than a steep line."""
_VELOCITY_WIDTH: Final = 18.0
_BOTTOM: Final = -95.0
"""dB: lower levels are raised to this, so that silence does not outweigh its neighbors."""

Array = npt.NDArray[np.float64]


class FittedInstrument:
    """An instrument with a note for any pitch and velocity.

    Args:
        notes: the fitted notes.
        width: semitones over which neighbors are averaged.
    """

    def __init__(self, notes: Sequence[FittedNote], *, width: float = 3.0) -> None:
        self._pitches = np.array([fitted.pitch for fitted in notes], dtype=float)
        self._velocities = np.array([fitted.velocity for fitted in notes], dtype=float)
        self._width = width
        count = max(len(fitted.note.ratios) for fitted in notes)
        times = notes[0].note.partials.shape[1]
        self._ratios = np.full((len(notes), count), np.nan)
        self._partials = np.full((len(notes), count, times), np.nan)
        self._noise = np.stack([fitted.note.noise for fitted in notes])
        for row, fitted in enumerate(notes):
            used = len(fitted.note.ratios)
            self._ratios[row, :used] = fitted.note.ratios
            self._partials[row, :used] = fitted.note.partials
            # Partials that a note lacks above its last one are silent, unless its frequency range ended there.
            self._partials[row, used:] = np.nan if used < count and _range_ended(fitted) else FLOOR

    @property
    def velocities(self) -> tuple[float, float]:
        """The softest and the loudest fitted velocity."""
        return float(self._velocities.min()), float(self._velocities.max())

    def note(self, pitch: float, velocity: float) -> Note:
        """Return the parameters of a note."""
        velocity = float(np.clip(velocity, *self.velocities))
        weights = self._weights(pitch, velocity)
        noise = np.tensordot(weights, np.maximum(self._noise, _BOTTOM), 1)
        present = np.isfinite(self._ratios)
        known = np.isfinite(self._partials[:, :, 0])
        ratios = _averaged(weights, self._ratios, present)
        partials = np.stack(
            [
                _averaged(weights, np.maximum(self._partials[:, :, column], _BOTTOM), known)
                for column in range(self._partials.shape[2])
            ],
            axis=1,
        )
        usable = np.isfinite(ratios) & np.isfinite(partials).all(axis=1)
        return Note(frequency_of(69) * 2 ** ((pitch - 69) / 12), ratios[usable], partials[usable], noise)

    def _weights(self, pitch: float, velocity: float) -> Signal:
        """Return each fitted note's weight in a local linear regression at a pitch and a velocity."""
        across = (self._pitches - pitch) / self._width
        along = (self._velocities - velocity) / _VELOCITY_WIDTH
        nearness = np.exp(-0.5 * (across**2 + along**2)) + 1e-9 * np.exp(-0.1 * np.abs(across) - np.abs(along))
        nearness /= nearness.sum()
        design = np.stack([np.ones_like(across), across, along], axis=1)
        penalty = np.diag([0.0, _STIFFNESS, _STIFFNESS])
        return np.asarray(np.linalg.solve(design.T * nearness @ design + penalty, design.T * nearness)[0])


def _range_ended(fitted: FittedNote) -> bool:
    """Return True if a note's last partial is at the upper limit of the search for partials."""
    return bool(fitted.note.frequency * fitted.note.ratios[-1] > 10_000)


def _averaged(weights: Signal, values: Array, known: npt.NDArray[np.bool_]) -> Array:
    """Return the weighted mean of (notes, columns) over the notes for which each is known; NaN if too few are."""
    shares = weights[:, None] * known
    total = shares.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0.2, np.nansum(np.where(known, values, 0) * shares, axis=0) / total, np.nan)
