"""Shapes of bars: what the control of loudness knows of a track's bars before they sound."""

from __future__ import annotations

import math
from typing import Final

from radio.audio.leveler import BarShape
from radio.compose.bar import Bar
from radio.compose.script import at_energy
from radio.types import MixMove

_MISSING: Final = {"keys": -4.0, "bass": -1.5, "drums": -3.0}
"""Loudness in dB of a band without one of its layers, beside the whole band."""
_LEAD: Final = 0.8
_MUFFLED: Final = ((4_500.0, "", 0.0), (1_800.0, " muffled", -1.0), (0.0, " dull", -3.0))
"""Least cut-offs of the low-pass in Hz, their names, and how much quieter they are than an open one in dB."""
_BAND: Final = -1.0


def track_shapes(bar: Bar, energy: float, played: frozenset[str]) -> tuple[list[BarShape], int]:
    """Return the shapes of all bars of a bar's track, and its own place among them.

    Args:
        bar: the bar that is composed; those after it may still change.
        energy: at which the bars after it are played.
        played: the layers of the station, the lead apart.
    """
    place = bar.plan.number - bar.track.first_bar
    scripts = [at_energy(script, energy, played) for script in bar.track.script]
    shapes = [shape(script.layers, script.mix, played) for script in scripts]
    if 0 <= place < len(shapes):
        shapes[place] = shape(bar.plan.layers, bar.plan.mix, played)
    return shapes, place


def shape(layers: frozenset[str], mix: MixMove, played: frozenset[str]) -> BarShape:
    """Return the shape of a bar in which `layers` sound, of those that the station plays."""
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
