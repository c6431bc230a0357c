"""An hour of the band of each station: no click, no offset, no step."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from radio.paths import STATIONS
from radio.settings.config import load
from radio.station.factory import open_station
from radio.types import SAMPLE_RATE, Block

pytestmark = pytest.mark.usefixtures("all_candidates")

CONFIG = load(STATIONS)
EACH = pytest.mark.parametrize("name", CONFIG.stations)
TEXTURES = {"vinyl_mute": True, "rain_mute": True, "ambience_mute": True}
"""Records, rain and fire click on purpose, and a low-pass at 12 kHz lets it pass. Their own tests bound them."""

MOVED = ({"lowpass": 2_000, "keys_level": -20}, {"bass_level": -6, "wow": 1.0}, {"lowpass": 12_000, "keys_level": 6})
"""Changes of controls, one per minute."""


def check(name: str, seconds: int) -> None:
    """Render the band of a station whose controls move, and check each second of it."""
    with closing(open_station(CONFIG.station(name), seed=11)) as station:
        station.control(TEXTURES)
        last, total = np.zeros((2, 2), np.float32), np.zeros(2)
        for second in range(seconds):
            if second % 60 == 30:
                station.control(MOVED[second // 60 % len(MOVED)])
            block = station.render(SAMPLE_RATE)
            station.events()
            assert np.isfinite(block).all()
            assert np.abs(block).max() <= 10 ** (-1 / 20)
            bends = np.abs(np.diff(np.concatenate((last, block)).astype(np.float64), 2, axis=0))
            assert bends.max() < _sharpest(block), (
                f"a click at {second + bends.max(axis=1).argmax() / SAMPLE_RATE:.3f} s"
            )
            last, total = block[-2:], total + block.sum(axis=0, dtype=np.float64)
    assert np.abs(total / seconds / SAMPLE_RATE).max() < 1e-3


def _sharpest(block: Block) -> float:
    """Return the largest second difference of a 4.5 kHz sine at the block's peak level.

    Strokes on a cymbal come within a fifth of it if the low-pass is at 12 kHz, and music at the defaults within a half.
    """
    return max(float(np.abs(block).max()) * (2 * np.pi * 4_500 / SAMPLE_RATE) ** 2, 0.01)


@pytest.mark.parametrize("name", ["jazzcafe", "sleep"])
def test_ten_seconds_have_no_click_and_no_offset(name: str) -> None:
    check(name, 10)


@pytest.mark.slow
@EACH
def test_an_hour_has_no_click_and_no_offset(name: str) -> None:
    check(name, 3_600)
