"""Shapes of bars: the features from which the leveler predicts the loudness of a track's bars."""

from __future__ import annotations

import math
from typing import Final

from radio.audio.leveler import BarShape
from radio.compose.bar import Bar
from radio.compose.script import at_energy
from radio.types import MixMove

_MISSING: Final = {"keys": -4.0, "bass": -1.5, "drums": -3.0}
"""Loudness in dB of a band without one of its layers, relative to the whole band."""
_LEAD: Final = 0.8
_MUFFLED: Final = ((4_500.0, "", 0.0), (1_800.0, " muffled", -1.0), (0.0, " dull", -3.0))
"""Minimum cutoffs of the low-pass in Hz, their names, and their loudness in dB relative to an open filter."""
_BAND: Final = -1.0


def track_shapes(bar: Bar, energy: float, played: frozenset[str]) -> tuple[list[BarShape], int]:
    """Return the shapes of all bars of a bar's track, and the bar's index among them.

    Args:
        bar: the bar just composed; those after it may still change.
        energy: the energy of the later bars.
        played: the layers of the station, except the lead.
    """
    place = bar.plan.number - bar.track.first_bar
    scripts = [at_energy(script, energy, played) for script in bar.track.script]
    shapes = [shape(script.layers, script.mix, played) for script in scripts]
    if 0 <= place < len(shapes):
        shapes[place] = shape(bar.plan.layers, bar.plan.mix, played)
    return shapes, place


def shape(layers: frozenset[str], mix: MixMove, played: frozenset[str]) -> BarShape:
    """Return the shape of a bar in which `layers` sound, given the layers that the station plays."""
    if not layers:
        return BarShape("")
    cutoff = math.sqrt(mix.lowpass[0] * mix.lowpass[1])
    muffled, loss = next((name, loss) for least, name, loss in _MUFFLED if cutoff >= least)
    expected = sum(_MISSING[layer] for layer in played - layers) + loss
    kind = " ".join(sorted(layers)) + muffled
    if "lead" in layers:
        expected += _LEAD
    if mix.drums_band and "drums" in layers:
        kind, expected = f"{kind} band", expected + _BAND
    return BarShape(kind, expected, 10 * math.log10(sum(10 ** (gain / 10) for gain in mix.gain_db) / 2))
