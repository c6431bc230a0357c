"""The loudness of single notes, and FluidR3's levels, which ours are matched to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np

from train.instruments.player import Player
from train.instruments.references import RATE, Signal

LEVELS: Final = Path(__file__).parent / "parameters" / "fluidr3-levels.json"
"""The loudness in dB of FluidR3's notes at `VELOCITY`, by bank, program and note."""
VELOCITY: Final = 90
_WINDOW: Final = 0.4
_HOP: Final = 0.1
_KEYS: Final = range(24, 109, 6)
_PADS: Final = range(35, 60)
_PAN_GAIN: Final = -3.0
"""dB: FluidSynth gives each channel half of a sample in the center."""


def loudness(note: Signal, rate: int = RATE) -> float:
    """Return the K-weighted level in dB of a note's loudest 400 ms; the channels of (frames, channels) are summed.

    Source: ITU-R BS.1770-5, annex 1: its two filters, as gains on the spectrum.
    """
    channels = note[:, None] if note.ndim == 1 else note
    length, hop = round(_WINDOW * rate), round(_HOP * rate)
    padded = np.pad(channels, ((0, max(0, length - len(channels))), (0, 0)))
    hertz = np.fft.rfftfreq(length, 1 / rate)
    high_pass = hertz**4 / (hertz**2 + 38.0**2) ** 2
    shelf = 10 ** (0.4 / (1 + (1500.0 / np.maximum(hertz, 1)) ** 4))
    weights = high_pass * shelf
    loudest = max(
        float((weights[:, None] * np.abs(np.fft.rfft(padded[start : start + length], axis=0)) ** 2).sum())
        for start in range(0, min(len(padded), 2 * rate) - length + 1, hop)
    )
    return float(10 * np.log10(2 * loudest / length**2 + 1e-12))


def velocity_gain(velocity: int) -> float:
    """Return the gain in dB from a sample to the sum of both channels, for a note at a velocity."""
    return float(40 * np.log10(max(velocity, 1) / 127)) + _PAN_GAIN


def measure_levels(soundfont: Path, programs: dict[tuple[int, int], tuple[int, int]]) -> None:
    """Write `LEVELS`.

    Args:
        soundfont: FluidR3.
        programs: our (bank, program), with the (bank, program) of the soundfont that it is matched to.
    """
    table: dict[str, dict[str, float]] = {}
    with Player(soundfont) as player:
        for (bank, program), model in sorted(programs.items()):
            notes = _PADS if bank == 128 else _KEYS
            table[f"{bank}:{program}"] = {
                str(note): round(loudness(player.stereo(*model, [(0.0, note, VELOCITY)], 2.0)), 1) for note in notes
            }
    rows = ",\n".join(f" {json.dumps(name)}: {json.dumps(levels)}" for name, levels in table.items())
    LEVELS.write_text(f"{{\n{rows}\n}}\n")


def read_levels() -> dict[tuple[int, int], dict[int, float]]:
    """Read the table written by `measure_levels`."""
    table = json.loads(LEVELS.read_text())
    return {
        (int(bank), int(program)): {int(note): level for note, level in levels.items()}
        for name, levels in table.items()
        for bank, _, program in [name.partition(":")]
    }
