"""The pitched instruments of the soundfont: timbres, ranges, velocity layers and envelopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

import numpy as np

from train.instruments import timbres
from train.instruments.fitting import PARAMETERS, FittedNote, read_parameters
from train.instruments.interpolation import FittedInstrument
from train.instruments.loudness import read_levels
from train.instruments.note import FLOOR, Note, render
from train.instruments.references import RATE
from train.instruments.sampling import layers, level_gain, looped_sample
from train.instruments.soundfont import Preset, Sample, Zone, timecents
from train.instruments.timbres import Timbre
from train.instruments.tones import looped, shared_gain

_LOW, _MIDDLE, _HIGH = 16_000, 22_050, 31_500
"""Hz: sample rates."""
_BLEND_STEPS: Final = ((3, 2 / 3), (3, 1 / 3))
"""Velocities, and the softer layer's share, of the steps from one layer to the next."""
_ATTENUATION_UNIT: Final = 10 / 0.4
"""Units of attenuation per dB: FluidSynth, like the EMU8000, takes 0.4 of what the specification says."""


_FAULTY: Final[Mapping[str, frozenset[int]]] = {}
"""Pitches whose references are damped early."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One velocity layer."""

    top: int
    """The highest velocity that plays it."""
    velocity: float
    """The velocity that the timbre is asked for, in the timbre's unit."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A program: its timbre, and the way it is sampled."""

    title: str
    programs: tuple[int, ...]
    timbre: Timbre
    pitches: Sequence[int]
    """MIDI notes that are sampled; each plays the keys nearest to it."""
    layers: Sequence[Layer]
    rate: int = _MIDDLE
    start: float = 0.4
    """Seconds before the loop of the lowest notes; an octave higher it is 15 % shorter."""
    loop: float = 0.25
    """Seconds of the loop."""
    falls: bool = True
    parts: int = 1
    """Samples that sound together, each with an envelope of its own: 1 or 2."""
    release: float = 0.3
    """Seconds in which a released note falls by 60 dB."""
    attack: float = 0.001
    generators: Mapping[str, int] = field(default_factory=dict)
    keys: tuple[int, int] = (0, 127)
    blended: bool = False
    """Layers fade into each other over some velocities."""


def fitted_timbre(name: str, *, width: float = 4.0, held_out: frozenset[int] = frozenset()) -> Timbre:
    """Return the timbre that was fitted to the reference notes of an instrument; its velocity is MIDI's.

    Args:
        name: the file of parameters.
        width: semitones over which neighbors are averaged.
        held_out: pitches that are left out.
    """
    return _instrument(name, width, held_out | _FAULTY.get(name, frozenset())).note


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


def _rhodes(held_out: frozenset[int]) -> Timbre:
    # The references have one velocity: the layers around it are the model's.
    base = fitted_timbre("rhodes-mk1", width=5.0, held_out=held_out)
    amounts = np.array([[20, -1.6], [64, 0.0], [96, 0.5], [120, 1.5]])
    return lambda pitch, velocity: brightened(base(pitch, 64), float(np.interp(velocity, *amounts.T)))


def _upright(held_out: frozenset[int]) -> Timbre:
    # The references have two velocities, 35 and 99: beyond them the model goes on.
    base = fitted_timbre("upright-piano", held_out=held_out)

    def note(pitch: float, velocity: float) -> Note:
        struck = base(pitch, velocity)
        tilt = float(np.interp(velocity, [20, 35, 99, 120], [-3.5, 0.0, 0.0, 3.5])) * np.log2(struck.ratios)
        return replace(struck, partials=np.maximum(struck.partials + tilt[:, None], FLOOR))

    return note


def _felt(held_out: frozenset[int]) -> Timbre:
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


_FULL: Final = (Layer(40, 22), Layer(70, 56), Layer(98, 84), Layer(127, 112))
_TWO: Final = (Layer(72, 0.4), Layer(127, 0.9))
_ONE: Final = (Layer(127, 0.7),)


def instruments(held_out: Mapping[str, frozenset[int]] | None = None) -> list[Instrument]:
    """Return all pitched instruments.

    Args:
        held_out: pitches that the fitted parameters are taken without, by the name of the references.
    """
    without = held_out or {}

    def left_out(name: str) -> frozenset[int]:
        return without.get(name, frozenset())

    vibrato = {"vibrato_to_pitch": 9, "vibrato_frequency": _lfo(5.2), "vibrato_delay": timecents(0.45)}
    return [
        Instrument(
            "Upright piano",
            (0,),
            _upright(left_out("upright-piano")),
            range(24, 97, 6),
            (Layer(44, 28), Layer(74, 58), Layer(100, 86), Layer(127, 114)),
            loop=0.18,
            parts=2,
            release=0.35,
            blended=True,
        ),
        Instrument(
            "Felt piano",
            (1,),
            _felt(left_out("upright-piano")),
            range(29, 96, 7),
            (Layer(60, 40), Layer(127, 95)),
            rate=_LOW,
            parts=2,
            release=0.4,
            blended=True,
        ),
        Instrument(
            "Rhodes",
            (4,),
            _rhodes(left_out("rhodes-mk1")),
            range(28, 101, 4),
            (Layer(40, 24), Layer(82, 64), Layer(106, 96), Layer(127, 120)),
            start=0.5,
            loop=0.12,
            parts=2,
            release=0.3,
            blended=True,
        ),
        Instrument(
            "Wurlitzer",
            (5,),
            fitted_timbre("wurlitzer-ep200", width=5.0, held_out=left_out("wurlitzer-ep200")),
            range(33, 96, 6),
            (Layer(40, 20), Layer(80, 61), Layer(110, 96), Layer(127, 119)),
            loop=0.12,
            parts=2,
            release=0.25,
            blended=True,
        ),
        Instrument(
            "Vibraphone",
            (11,),
            fitted_timbre("vibraphone", held_out=left_out("vibraphone")),
            range(53, 90, 5),
            (Layer(60, 40), Layer(90, 72), Layer(127, 104)),
            start=0.5,
            loop=0.1,
            parts=2,
            release=0.8,
            generators={
                "tremolo_to_volume": 16,
                "tremolo_frequency": _lfo(4.6),
                "tremolo_delay": timecents(0.25),
            },
        ),
        Instrument(
            "Upright bass",
            (32,),
            fitted_timbre("double-bass-pizz", held_out=left_out("double-bass-pizz")),
            range(24, 65, 4),
            (Layer(48, 32), Layer(96, 72), Layer(127, 112)),
            rate=_LOW,
            loop=0.15,
            parts=2,
            release=0.18,
        ),
        Instrument(
            "Flat-wound bass",
            (33, 35),
            timbres.plucked(place=0.27, slope=7.5, ring=5.5, damping=0.7, noise=-52),
            range(24, 68, 6),
            (Layer(60, 0.25), Layer(100, 0.6), Layer(127, 1.0)),
            rate=_LOW,
            start=0.6,
            loop=0.1,
            release=0.15,
        ),
        Instrument(
            "Round sub bass",
            (38,),
            timbres.round_bass(second=-13, third=-19, drive=10),
            range(24, 68, 6),
            _TWO,
            rate=_LOW,
            start=0.25,
            loop=0.1,
            release=0.12,
            attack=0.004,
        ),
        Instrument(
            "Nylon guitar",
            (24,),
            timbres.plucked(place=0.19, slope=5.0, ring=4.0, damping=0.45, noise=-42, stiffness=4e-5),
            range(40, 83, 7),
            (Layer(60, 0.2), Layer(100, 0.55), Layer(127, 1.0)),
            start=0.4,
            release=0.25,
        ),
        Instrument(
            "Muted guitar",
            (28,),
            timbres.plucked(place=0.12, slope=4.5, ring=0.55, damping=0.5, noise=-36, stiffness=2e-5),
            range(40, 83, 7),
            _TWO,
            start=0.25,
            release=0.12,
        ),
        Instrument(
            "Music box",
            (10,),
            timbres.struck((1, 2.0, 4.2, 6.3, 9.8), (0, -26, -18, -20, -30), (2.6, 1.2, 0.8, 0.45, 0.25), noise=-46),
            range(60, 103, 7),
            _TWO,
            start=0.4,
            rate=_HIGH,
            loop=0.1,
            release=1.2,
        ),
        Instrument(
            "Bells",
            (14,),
            timbres.struck(
                (0.5, 1, 1.19, 1.5, 2, 2.51, 2.66, 3.01, 4.1, 5.4, 6.8),
                (-12, 0, -9, -14, -4, -14, -15, -14, -17, -22, -28),
                (6.0, 5.0, 3.6, 3.0, 3.2, 1.9, 1.7, 1.6, 1.1, 0.8, 0.5),
                noise=-44,
            ),
            range(48, 97, 8),
            _TWO,
            start=0.5,
            loop=0.3,
            release=2.0,
        ),
        Instrument(
            "Dusty organ",
            (16,),
            timbres.organ(((0.5, -4), (1, 0), (1.5, -8), (2, -6), (3, -16), (4, -22)), click=-44, air=-66),
            range(36, 97, 6),
            _ONE,
            start=0.12,
            loop=0.4,
            falls=False,
            release=0.12,
            attack=0.006,
            generators={
                "vibrato_to_pitch": 6,
                "vibrato_frequency": _lfo(6.1),
                "tremolo_to_volume": 9,
                "tremolo_frequency": _lfo(5.9),
            },
        ),
        Instrument(
            "Muted trumpet",
            (59,),
            timbres.blown((-4, -3, 0, -1, -4, -6, -9, -12), breath=-66, center=2500, formant=(1500, 8)),
            range(54, 91, 6),
            _TWO,
            start=0.15,
            loop=0.3,
            falls=False,
            release=0.12,
            attack=0.035,
            generators=vibrato,
        ),
        Instrument(
            "Soft flute",
            (73,),
            timbres.blown((0, -7, -15, -24, -30, -38), breath=-58, center=1800),
            range(55, 98, 7),
            _TWO,
            start=0.2,
            loop=0.3,
            falls=False,
            release=0.2,
            attack=0.05,
            generators=vibrato,
        ),
        Instrument(
            "Whistle synth",
            (78,),
            timbres.blown((0, -22, -30, -42), breath=-62, center=2600),
            range(55, 98, 7),
            _ONE,
            start=0.2,
            loop=0.3,
            falls=False,
            release=0.25,
            attack=0.03,
            generators={**vibrato, "vibrato_to_pitch": 14},
        ),
        Instrument(
            "Soft pad",
            (88,),
            timbres.ensemble(slope=9.0, spread=14, top=900, air=-70, sub=-34),
            range(36, 97, 8),
            _ONE,
            rate=_LOW,
            start=0.1,
            loop=1.8,
            falls=False,
            release=1.4,
            attack=0.3,
        ),
        Instrument(
            "Warm pad",
            (89, 94),
            timbres.ensemble(slope=6.5, spread=18, top=1500),
            range(36, 97, 8),
            _ONE,
            rate=_LOW,
            start=0.1,
            loop=1.5,
            falls=False,
            release=1.0,
            attack=0.16,
        ),
        Instrument(
            "Kalimba",
            (108,),
            timbres.struck((1, 2.0, 5.42, 8.6, 11.9), (0, -24, -17, -24, -30), (1.9, 0.7, 0.28, 0.15, 0.1), noise=-34),
            range(48, 97, 6),
            _TWO,
            start=0.35,
            loop=0.1,
            release=0.6,
        ),
    ]


def _lfo(hertz: float) -> int:
    """Return an oscillator's frequency in cents above 8.176 Hz."""
    return round(float(1200 * np.log2(hertz / 8.176)))


def build(instrument: Instrument) -> list[Preset]:
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
    """Return the loudness for a pitch: a line through that of FluidR3, without the steps between its samples."""
    notes = np.array([note for note, level in levels.items() if level > -50 and 28 <= note <= 96])
    values = np.array([levels[int(note)] for note in notes])
    nearness = np.exp(-0.5 * ((notes - pitch) / 9) ** 2) + 1e-6
    return float((nearness * values).sum() / nearness.sum())


def _samples(instrument: Instrument, pitch: int, layer: Layer, level: float) -> list[tuple[Sample, float]]:
    """Return the samples that sound together in a note, each with the decay of its envelope."""
    above = max(0, pitch - instrument.pitches[0])
    start = max(0.12, instrument.start * 0.85 ** (above / 12)) if instrument.falls else instrument.start
    note = instrument.timbre(pitch, layer.velocity)
    tones = looped(note, instrument.rate, start, instrument.loop, falls=instrument.falls, parts=instrument.parts)
    whole = render(note, 1.2)
    whole *= np.minimum(np.arange(len(whole)) / (instrument.attack * RATE), 1)
    # Short peaks are bent by at most 4 dB; a louder note than that stays softer than asked for.
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
