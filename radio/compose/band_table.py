"""The rows of a band model: the meaning of each row's token, and the layer that plays its note."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.music.band_events import INSTRUMENTS, order_within_step
from radio.music.drum_pads import PADS
from radio.music.vocab import BAND_LENGTHS, BAND_PITCHES, BAND_START, BAND_STEPS, BAND_TIMES
from radio.types import TokenId

Mask = npt.NDArray[np.bool_]

LAYERS: Final = ("keys", "bass", "drums", "lead")
LAYER_OF: Final[Mapping[str, str]] = MappingProxyType(
    {"piano": "keys", "guitar": "keys", "harp": "keys", "organ": "keys", "bass": "bass", "drums": "drums"}
    | dict.fromkeys(("strings", "cello", "brass", "reed", "flute", "choir"), "lead")
)
"""The layer that plays the notes of each instrument."""

_RANGES: Final = MappingProxyType({"keys": (36, 96), "bass": (28, 55), "lead": (55, 91)})
_NONE: Final = -1


class BandTable:
    """Arrays over the rows of a model of the part `band`.

    waits: the 1/32 notes since the previous note, for a time token; else -1. lengths: the 1/32 notes of a length token;
    else 0. notes, layers, orders: the pitch of a note token, its layer as an index into `LAYERS`, and its sort key
    among notes that start together; else -1. drums: mask of drum notes. playable: mask of the notes within the range of
    their layer, and of the drums that the radio has.
    """

    def __init__(self, tokens: Sequence[TokenId]) -> None:
        ids = np.array(tokens)
        self.row = {token: row for row, token in enumerate(tokens)}
        self.waits = np.where(ids < BAND_LENGTHS, ids - BAND_TIMES, _NONE)
        is_length = (ids >= BAND_LENGTHS) & (ids < BAND_PITCHES)
        self.lengths = np.where(is_length, (ids - BAND_LENGTHS) // BAND_STEPS + 1, 0)
        is_note = (ids >= BAND_PITCHES) & (ids < BAND_START)
        instruments, notes = np.where(is_note, ids - BAND_PITCHES, 0) // 128, (ids - BAND_PITCHES) % 128
        layers = np.array([LAYERS.index(LAYER_OF[instrument]) for instrument in INSTRUMENTS])[instruments]
        orders = [order_within_step(instrument, note) for instrument, note in zip(instruments, notes, strict=True)]
        self.notes = np.where(is_note, notes, _NONE)
        self.layers = np.where(is_note, layers, _NONE)
        self.orders = np.where(is_note, orders, _NONE)
        self.drums = self.of_layers(["drums"])
        self.playable = self.drums & np.isin(self.notes, list(PADS.values()))
        for layer, (low, high) in _RANGES.items():
            self.playable |= self.of_layers([layer]) & (self.notes >= low) & (self.notes <= high)

    def of_layers(self, layers: Iterable[str]) -> Mask:
        """Return a mask of the notes of the given layers."""
        return np.isin(self.layers, [LAYERS.index(layer) for layer in layers])

    def of_classes(self, classes: Iterable[int]) -> Mask:
        """Return a mask of the notes in the given pitch classes, and of all drums."""
        return self.drums | ((self.notes >= 0) & np.isin(self.notes % 12, list(classes)))
