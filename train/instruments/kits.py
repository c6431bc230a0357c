"""The drum kits: a pad for each note of General MIDI's drum map, from fitted and from modeled voices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from train.instruments.acoustic_kits import brushes, clean_pads
from train.instruments.fitted_drums import FittedDrums
from train.instruments.loudness import read_levels
from train.instruments.note import render
from train.instruments.pads import Pad
from train.instruments.references import RATE
from train.instruments.sampler_kits import analog, dust, electronic
from train.instruments.sampling import alternating, layers, level_gain, levelled, looped_sample, resampled, trimmed
from train.instruments.soundfont import Preset, Sample, Zone, timecents
from train.instruments.tones import looped, shared_gain

_HAT_CLASS: Final = 1


_RING_START: Final = 0.6
"""Seconds after which a pad that rings on is looped."""


_TOPS: Final = {1: (127,), 2: (80, 127), 3: (50, 90, 127), 4: (40, 68, 98, 127)}


KITS: Final[Mapping[int, tuple[str, Callable[[FittedDrums], dict[int, Pad]]]]] = {
    0: ("Dusty boom-bap", dust),
    8: ("Soft pop", clean_pads),
    24: ("Lo-fi electronic", electronic),
    25: ("Analog 808", analog),
    40: ("Brushes", brushes),
}
"""The kits by program of bank 128."""


_SHARED_LEVELS: Final = 0
"""The kit whose levels apply to pads that several kits share."""


def build_kits(
    held_out: frozenset[tuple[int, int]] = frozenset(), programs: Sequence[int] = tuple(KITS)
) -> list[Preset]:
    """Return the presets of kits.

    Args:
        held_out: the (velocity, take) of reference hits that are left out.
        programs: the kits [all].
    """
    drums = FittedDrums(held_out)
    levels = read_levels()
    made: dict[str, list[list[Hit]]] = {}
    presets = []
    for program in programs:
        title, pads = KITS[program]
        zones = []
        for note, pad in sorted(pads(drums).items()):
            own = pad.name.split()[0] in ("808", "lo-fi", "brush", "soft")
            table = levels[128, program if own else _SHARED_LEVELS]
            level = pad.level if pad.level is not None else max(table[note], -36.0)
            if pad.name not in made:
                made[pad.name] = _samples(pad, level)
            zones += _zones(pad, note, made[pad.name])
        presets.append(Preset(title, 128, program, zones))
    return presets


Hit = list[tuple[Sample, float]]
"""The samples that sound together, each with its envelope's decay in seconds, or 0."""


def _samples(pad: Pad, level: float) -> list[list[Hit]]:
    """Return a pad's hits by layer and variant."""
    return [[_hit(pad, level, layer, variant) for variant in range(pad.variants)] for layer in range(pad.layers)]


def _hit(pad: Pad, level: float, layer: int, variant: int) -> Hit:
    velocity = (layer + 0.5) / pad.layers
    name = f"{pad.name} {layer + 1}{'ab'[variant]}"
    if pad.note:
        note = pad.note(velocity, variant)
        tones = looped(note, pad.rate, _RING_START, pad.loop, seed=11 + variant)
        gain = shared_gain(tones, level_gain(render(note, 1.0, seed=11 + variant), RATE, level), 1.55)
        return [(looped_sample(f"{name}{part}", tone, gain, 60), tone.decay) for part, tone in enumerate(tones)]
    hit = pad.voice(velocity, variant)[: round(pad.seconds * RATE)]
    sound = resampled(pad.treatment(hit), pad.rate)
    return [(Sample(name, trimmed(levelled(sound - sound.mean(), pad.rate, level), pad.rate), pad.rate), 0.0)]


def _zones(pad: Pad, note: int, hits: list[list[Hit]]) -> list[Zone]:
    # The release is long, since a drum rings on after its note ends.
    generators = {"pan": pad.pan, "scale_tuning": 0, "volume_release": timecents(30)}
    if pad.tune:
        generators["coarse_tune"] = pad.tune
    if pad.chokes:
        generators["exclusive_class"] = _HAT_CLASS
    return [
        Zone(sample, (note, note), velocities, generators | _decay(decay))
        for layer, span in enumerate(layers(_TOPS[pad.layers]))
        for variant, velocities in alternating(span, pad.variants)
        for sample, decay in hits[layer][variant]
    ]


def _decay(seconds: float) -> dict[str, int]:
    if not seconds:
        return {}
    # A looped pad continues to decay at the same rate after its note ends.
    return {
        "volume_decay": timecents(seconds), "volume_sustain": 1440, "volume_release": timecents(seconds),
    }  # fmt: skip
