"""The acoustic kits: soft pop and brushes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from train.instruments import percussion
from train.instruments.fitted_drums import FittedDrums
from train.instruments.pads import DARK, Pad
from train.instruments.percussion import Voice, hiss, low_pass, moments
from train.instruments.references import Signal


def _brushed(seconds: float) -> Voice:
    """Return the voice of a brush drawn over the head."""

    def hit(velocity: float, variant: int) -> Signal:
        time = moments(seconds)
        shape = np.sin(np.pi * np.clip(time / seconds, 0, 1) ** 0.7) ** 1.5
        return np.asarray(hiss(seconds, 700, 3500 + 4000 * velocity, 120 + variant) * shape)

    return hit


def _soft_kick(drums: FittedDrums) -> Voice:
    """Return the voice of a kick with a felt beater: the softer half of the fitted kick, without its click."""
    kick = drums.voice("kick", loudest=90)
    return lambda velocity, variant: low_pass(kick(velocity, variant), 900 + 1500 * velocity)


def clean_pads(drums: FittedDrums) -> dict[int, Pad]:
    """Return the pads that acoustic kits share."""
    pads = {note: replace(pad, pan=30 * (note - 45)) for note, pad in toms("tom", percussion.tom, 82.0).items()}
    crash = Pad("crash", percussion.cymbal(420, 2.6, 5), layers=2, variants=1, pan=-200)
    hat = Pad("hat", drums.voice("hihat-closed"), layers=4, pan=120, chokes=True, seconds=0.5)
    open_hat = Pad(
        "open hat",
        drums.voice("hihat-open"),
        variants=1,
        pan=120,
        chokes=True,
        note=drums.ringing("hihat-open"),
        loop=0.5,
    )
    ride = Pad("ride", drums.voice("ride"), layers=3, variants=1, pan=-150, note=drums.ringing("ride"), loop=0.5)
    kick = Pad("kick", drums.voice("kick"), layers=4, rate=DARK)
    # A little softer than FluidR3's, since its stroke would exceed full scale.
    snare = Pad("snare", drums.voice("snare"), layers=4, seconds=1.25, level=-26.7)
    return pads | {
        35: kick,
        36: kick,
        37: Pad("side stick", percussion.side_stick, pan=-40),
        38: snare,
        39: Pad("clap", percussion.clap, layers=2),
        40: snare,
        42: hat,
        44: Pad(
            "pedal hat",
            drums.voice("hihat-closed", pitch=0.94, loudest=60),
            layers=2,
            seconds=0.25,
            pan=120,
            chokes=True,
        ),
        46: open_hat,
        49: crash,
        51: ride,
        52: Pad("china", percussion.cymbal(620, 1.2, 9), layers=1, variants=1, pan=200),
        53: Pad("ride bell", drums.voice("ride", pitch=1.35), layers=1, variants=1, seconds=1.2, pan=-150),
        54: Pad("tambourine", percussion.tambourine, layers=2),
        55: Pad("splash", percussion.cymbal(750, 0.9, 13), layers=1, variants=1, pan=-100),
        56: Pad("cowbell", percussion.cowbell, layers=2, variants=1),
        57: replace(crash, pan=200),
        58: Pad("shaker", percussion.shaker, layers=2),
        59: ride,
        **_hand_percussion(),
    }


def toms(name: str, voice: Callable[[float], Voice], lowest: float) -> dict[int, Pad]:
    """Return six toms three semitones apart: three drums, each tuned twice."""
    pads = {}
    for place, note in enumerate((41, 43, 45, 47, 48, 50)):
        hertz = lowest * 2 ** (place // 2 / 2)
        pads[note] = Pad(
            f"{name} {hertz:.0f}", voice(hertz), layers=2, variants=1, rate=DARK, tune=3 * (place % 2), seconds=0.6
        )
    return pads


def _hand_percussion() -> dict[int, Pad]:
    shaker = Pad("shaker", percussion.shaker, layers=2)
    low = Pad("conga", percussion.conga(196), layers=2, variants=1, rate=DARK, pan=-80)
    return {
        62: Pad("conga slap", percussion.conga(262, slap=True), layers=2, variants=1, rate=DARK, pan=80, level=-26),
        63: Pad("high conga", percussion.conga(262), layers=2, variants=1, rate=DARK, pan=80, level=-26),
        64: replace(low, level=-26),
        69: replace(shaker, level=-32),
        70: replace(shaker, level=-32),
        75: Pad("claves", percussion.claves, layers=1, variants=1, level=-30),
        81: Pad("triangle", percussion.triangle, layers=1, variants=1, level=-34),
        82: replace(shaker, level=-32),
    }


def brushes(drums: FittedDrums) -> dict[int, Pad]:
    """Return the pads of a kit played with brushes."""
    tap = Pad("brush tap", drums.voice("snare-brush", loudest=110), layers=3, seconds=0.45)
    kick = Pad("soft kick", _soft_kick(drums), layers=3, rate=DARK, seconds=0.45)
    return clean_pads(drums) | {
        35: kick,
        36: kick,
        38: tap,
        39: Pad("brush slap", drums.voice("snare-brush", softest=70), layers=2, seconds=0.4),
        40: Pad("brush swirl", _brushed(0.45), layers=2),
    }
