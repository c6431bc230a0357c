"""The pads of a drum kit, and treatments of their sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from train.instruments.note import Note
from train.instruments.percussion import Voice, decay, low_pass
from train.instruments.references import RATE, Signal

CLEAN: Final = 31_500


DARK: Final = 22_050


DUSTY: Final = 26_460
"""Hz: the sample rate of the samplers of the late eighties."""


Treatment = Callable[[Signal], Signal]


@dataclass(frozen=True, slots=True)
class Pad:
    """One pad of a kit.

    Two pads with the same `name` share their samples.
    """

    name: str
    voice: Voice
    treatment: Treatment = lambda signal: signal
    layers: int = 3
    variants: int = 2
    rate: int = CLEAN
    seconds: float = 2.0
    """Maximum length of the sound."""
    pan: int = 0
    """From -500, left, to 500."""
    tune: int = 0
    """Semitones by which its samples are raised."""
    chokes: bool = False
    """True if it cuts off the other pads that choke, as the pedal does the open hi-hat."""
    note: Callable[[float, int], Note] | None = None
    """Parameters that replace the voice of a pad that rings on in a loop."""
    loop: float = 0.3
    """Seconds of that loop."""
    level: float | None = None
    """dB: loudness at `VELOCITY`; overrides the level of the same pad in FluidR3."""


def gated(seconds: float) -> Treatment:
    """Return a treatment that makes a hit fall by 60 dB within `seconds`."""
    return lambda signal: np.asarray(signal * decay(seconds, len(signal) / RATE)[: len(signal)])


def dusty(*, drive: float, top: float, seconds: float) -> Treatment:
    """Return the treatment of an old sampler and a worn record: short, saturated, dark, quantized to 12 bits.

    Args:
        drive: gain into the saturation, linear.
        top: Hz: the low-pass.
        seconds: time to fall by 60 dB.
    """

    def treat(signal: Signal) -> Signal:
        short = gated(seconds)(signal)
        bent = np.tanh(drive * short / np.abs(short).max() + 0.1) - np.tanh(0.1)
        dark = low_pass(bent, top, 3)
        return np.asarray(np.round(2047 * dark / np.abs(dark).max()) / 2047)

    return treat


def mixed(*voices: tuple[float, Voice]) -> Voice:
    """Return a mix of several voices, each normalized to its gain."""

    def hit(velocity: float, variant: int) -> Signal:
        parts = [(gain, voice(velocity, variant)) for gain, voice in voices]
        out = np.zeros(max(len(part) for _, part in parts))
        for gain, part in parts:
            out[: len(part)] += gain * part / np.abs(part).max()
        return out

    return hit
