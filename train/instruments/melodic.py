"""The pitched instruments of the soundfont."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from train.instruments import timbres
from train.instruments.fitted_timbres import felt, fitted_timbre, rhodes, upright
from train.instruments.instrument import HIGH, LOW, ONE, TWO, Instrument, Layer
from train.instruments.soundfont import timecents


def instruments(held_out: Mapping[str, frozenset[int]] | None = None) -> list[Instrument]:
    """Return all pitched instruments.

    Args:
        held_out: pitches to leave out of the fitted parameters, by the name of the references.
    """
    without = held_out or {}

    def left_out(name: str) -> frozenset[int]:
        return without.get(name, frozenset())

    vibrato = {"vibrato_to_pitch": 9, "vibrato_frequency": _lfo(5.2), "vibrato_delay": timecents(0.45)}
    return [
        Instrument(
            "Upright piano",
            (0,),
            upright(left_out("upright-piano")),
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
            felt(left_out("upright-piano")),
            range(29, 96, 7),
            (Layer(60, 40), Layer(127, 95)),
            rate=LOW,
            parts=2,
            release=0.4,
            blended=True,
        ),
        Instrument(
            "Rhodes",
            (4,),
            rhodes(left_out("rhodes-mk1")),
            range(28, 101, 4),
            (Layer(40, 24), Layer(82, 64), Layer(106, 96), Layer(127, 120)),
            start=0.5,
            rings=True,
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
            rings=True,
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
            rate=LOW,
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
            rate=LOW,
            start=0.6,
            loop=0.1,
            release=0.15,
        ),
        Instrument(
            "Round sub bass",
            (38,),
            timbres.round_bass(second=-13, third=-19, drive=10),
            range(24, 68, 6),
            TWO,
            rate=LOW,
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
            TWO,
            start=0.25,
            release=0.12,
        ),
        Instrument(
            "Music box",
            (10,),
            timbres.struck((1, 2.0, 4.2, 6.3, 9.8), (0, -26, -18, -20, -30), (2.6, 1.2, 0.8, 0.45, 0.25), noise=-46),
            range(60, 103, 7),
            TWO,
            start=0.4,
            rate=HIGH,
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
            TWO,
            start=0.5,
            loop=0.3,
            release=2.0,
        ),
        Instrument(
            "Dusty organ",
            (16,),
            timbres.organ(((0.5, -4), (1, 0), (1.5, -8), (2, -6), (3, -16), (4, -22)), click=-44, air=-66),
            range(36, 97, 6),
            ONE,
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
            TWO,
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
            TWO,
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
            ONE,
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
            ONE,
            rate=LOW,
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
            ONE,
            rate=LOW,
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
            TWO,
            start=0.35,
            loop=0.1,
            release=0.6,
        ),
    ]


def _lfo(hertz: float) -> int:
    """Return an oscillator's frequency in cents above 8.176 Hz."""
    return round(float(1200 * np.log2(hertz / 8.176)))
