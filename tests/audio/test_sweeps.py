"""Tones swept through the whole chain, and controls swept under a tone: no aliasing, no steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from radio.audio.mixer import Mixer
from radio.settings.controls import LAYERS, Controls
from radio.settings.tone import Tone
from radio.types import MIX_BLOCK, SAMPLE_RATE, Block, MixState
from tests.audio.test_mixer import CLEAN, STILL

HERTZ = 997.0
SWEPT = 60 * 2 ** (np.arange(22) / 3 + 0.013)
"""Hz: third-octave steps from 60 Hz to 7.7 kHz. No aliasing product falls on a harmonic of these."""
CRITICAL_BAND = 150.0
"""Hz on each side of a 1 kHz tone. Within it the ear hears a change of the tone's strength, not another tone."""


def sine(hertz: float, level: float, seconds: float) -> Block:
    wave = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)
    return np.asarray(wave, np.float32)[:, None].repeat(2, axis=1)


def strongest_stray(sound: Block, hertz: float, near: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return the strongest component that is not near a harmonic of a tone, in dB relative to the strongest of all."""
    left = sound[:, 0].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(left * np.blackman(len(left))))
    places = np.arange(len(spectrum)) * SAMPLE_RATE / len(left)
    orders = np.maximum(np.round(places / hertz), 1)
    far = (np.abs(places - orders * hertz) > near(places)) & (places > 20)
    return float(20 * np.log10(spectrum[far].max() / spectrum.max()))


@pytest.mark.parametrize("layer", ["keys", "bass", "lead", "drums"])
def test_a_swept_tone_through_the_default_chain_has_no_aliasing(layer: str) -> None:
    # Grit is meant to alias, so it is off. Wow, flutter and chorus bend each harmonic by less than 1.5 %.
    tone = Tone(grit_bits=24, grit_rate=48_000)
    for hertz in SWEPT:
        mixer, stem = Mixer(tone), sine(hertz, 0.15, 1.2)
        starts = range(0, len(stem) - MIX_BLOCK + 1, MIX_BLOCK)
        out = np.concatenate([mixer.process({layer: stem[at : at + MIX_BLOCK]}, Controls()) for at in starts])
        product = strongest_stray(out[SAMPLE_RATE // 2 :], hertz, lambda places: 15 + 0.015 * places)
        assert product < -60, f"{product:.0f} dB at {hertz:.0f} Hz"


def swept(layer: str, controls: Callable[[float], Controls], moves: Callable[[float], MixState]) -> Block:
    """Return four seconds of a tone. Controls and moves are functions of the elapsed share of the time."""
    mixer, stem = Mixer(CLEAN), sine(HERTZ, 0.1, 4)
    blocks = len(stem) // MIX_BLOCK
    parts = [
        mixer.process(
            {layer: stem[at * MIX_BLOCK : (at + 1) * MIX_BLOCK]}, controls(at / blocks), move=moves(at / blocks)
        )
        for at in range(blocks)
    ]
    return np.concatenate(parts)[SAMPLE_RATE // 4 :]


def triangle(share: float) -> float:
    """Return a triangle wave of two periods, from 1 down to 0 and back."""
    return abs(share * 4 % 2 - 1)


def steps(sound: Block) -> float:
    return strongest_stray(sound, HERTZ, lambda places: np.full_like(places, CRITICAL_BAND))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("lowpass", 500.0, 20_000.0), ("wow", 0.0, 1.0), *((f"{layer}_level", -40.0, 6.0) for layer in LAYERS)],
)
def test_a_swept_control_makes_no_steps(name: str, low: float, high: float) -> None:
    layer = name.removesuffix("_level") if name.endswith("_level") else "keys"
    still = STILL.changed({"rain_mute": False})

    def moved(share: float) -> Controls:
        return still.changed({name: low + (high - low) * triangle(share)})

    assert steps(swept(layer, moved, lambda _: MixState())) < -60


@pytest.mark.parametrize("change", [{"keys_mute": True}, {"keys_level": -40.0}])
def test_a_control_that_jumps_makes_no_click(change: dict[str, object]) -> None:
    quiet = STILL.changed(change)
    sound = swept("keys", lambda share: quiet if int(share * 16) % 2 else STILL, lambda _: MixState())
    assert steps(sound) < -60


@pytest.mark.parametrize(
    ("layer", "move"),
    [
        ("keys", lambda value: MixState(gain=value)),
        ("keys", lambda value: MixState(lowpass=500 + 19_500 * value)),
        ("keys", lambda value: MixState(keys=0.3 + 1.4 * value)),
        ("drums", lambda value: MixState(drums_band=value)),
    ],
)
def test_an_automated_mix_makes_no_steps(layer: str, move: Callable[[float], MixState]) -> None:
    assert steps(swept(layer, lambda _: STILL, lambda share: move(triangle(share)))) < -60
