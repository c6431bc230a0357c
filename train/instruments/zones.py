"""Presets of pitched instruments: their samples, and the zones of keys and velocities that play them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from train.instruments.instrument import Instrument, Layer
from train.instruments.loudness import read_levels
from train.instruments.note import render
from train.instruments.references import RATE
from train.instruments.sampling import layers, level_gain, looped_sample
from train.instruments.soundfont import Preset, Sample, Zone, timecents
from train.instruments.tones import looped, shared_gain

_BLEND_STEPS: Final = ((3, 2 / 3), (3, 1 / 3))
"""Velocities, and the softer layer's share, of the steps from one layer to the next."""


_ATTENUATION_UNIT: Final = 10 / 0.4
"""Units of attenuation per dB: FluidSynth, like the EMU8000, uses 0.4 of the specified value."""


def instrument_presets(instrument: Instrument) -> list[Preset]:
    """Return the presets of an instrument; all of its programs share its samples."""
    levels = read_levels()[0, instrument.programs[0]]
    pitches = list(instrument.pitches)
    zones: list[Zone] = []
    for place, pitch in enumerate(pitches):
        low = (pitches[place - 1] + pitch) // 2 + 1 if place else instrument.keys[0]
        high = (pitch + pitches[place + 1]) // 2 if place + 1 < len(pitches) else instrument.keys[1]
        level = _smooth_level(levels, pitch)
        made = [_samples(instrument, pitch, layer, level) for layer in instrument.layers]
        zones += [
            Zone(sample, (low, high), velocities, _generators(instrument, decay, gain))
            for number, velocities, gain in _spans(instrument)
            for sample, decay in made[number]
        ]
    return [Preset(instrument.title, 0, program, zones) for program in instrument.programs]


def _smooth_level(levels: Mapping[int, float], pitch: int) -> float:
    """Return the loudness for a pitch: FluidR3's, smoothed over the steps between its samples."""
    notes = np.array([note for note, level in levels.items() if level > -50 and 28 <= note <= 96])
    values = np.array([levels[int(note)] for note in notes])
    nearness = np.exp(-0.5 * ((notes - pitch) / 9) ** 2) + 1e-6
    return float((nearness * values).sum() / nearness.sum())


def _samples(instrument: Instrument, pitch: int, layer: Layer, level: float) -> list[tuple[Sample, float]]:
    """Return the samples that sound together in a note, each with the decay of its envelope."""
    above = max(0, pitch - instrument.pitches[0])
    start = max(0.12, instrument.start * 0.85 ** (above / 12)) if instrument.falls else instrument.start
    note = instrument.timbre(pitch, layer.velocity)
    tones = looped(
        note,
        instrument.rate,
        start,
        instrument.loop,
        falls=instrument.falls,
        parts=instrument.parts,
        rings=instrument.rings,
    )
    whole = render(note, 1.2)
    whole *= np.minimum(np.arange(len(whole)) / (instrument.attack * RATE), 1)
    # Short peaks are compressed by at most 4 dB; a note that needs more stays softer than `level`.
    gain = shared_gain(tones, level_gain(whole, RATE, level), 1.55)
    return [
        (looped_sample(f"{instrument.title[:11]} {pitch} {layer.top}{'ab'[part]}", tone, gain, pitch), tone.decay)
        for part, tone in enumerate(tones)
    ]


def _spans(instrument: Instrument) -> Iterator[tuple[int, tuple[int, int], float]]:
    """Yield the zones of one key: a layer's number, the velocities, and its gain in dB."""
    ranges = layers([layer.top for layer in instrument.layers])
    if not instrument.blended:
        for number, span in enumerate(ranges):
            yield number, span, 0.0
        return
    width = sum(step for step, _ in _BLEND_STEPS)
    for number, (low, high) in enumerate(ranges):
        last = number == len(ranges) - 1
        yield number, (low if number == 0 else low + width // 2, high if last else high - width // 2), 0.0
        if not last:
            start = high - width // 2 + 1
            for step, softer in _BLEND_STEPS:
                span = (start, start + step - 1)
                yield number, span, 20 * float(np.log10(softer))
                yield number + 1, span, 20 * float(np.log10(1 - softer))
                start += step


def _generators(instrument: Instrument, decay: float, gain: float) -> dict[str, int]:
    out = {**instrument.generators, "volume_release": timecents(instrument.release * 96 / 60)}
    if instrument.attack > 0.001:
        out["volume_attack"] = timecents(instrument.attack)
    if decay:
        out |= {"volume_decay": timecents(decay), "volume_sustain": 1440}
    if gain:
        out["attenuation"] = round(-gain * _ATTENUATION_UNIT)
    return out
