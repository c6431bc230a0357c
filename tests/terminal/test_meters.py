from __future__ import annotations

import math

import pytest

from radio.terminal.meters import FLOOR, Lamp, Meter, decibels


def test_a_meter_rises_immediately_and_falls_slowly() -> None:
    meter = Meter()
    meter.advance(0.05, 0.5, 0.25)
    assert meter.level == pytest.approx(-6.02, abs=0.01)
    assert meter.peak == pytest.approx(-6.02, abs=0.01)
    meter.advance(0.5)
    assert meter.level == pytest.approx(-18.02, abs=0.01)
    assert meter.peak == pytest.approx(-6.02, abs=0.01)  # held
    for _ in range(100):
        meter.advance(0.1)
    assert meter.level == meter.peak == FLOOR


def test_clipping_is_shown_for_some_seconds() -> None:
    meter = Meter()
    meter.advance(0.1, 0.999, 0.1)
    assert not meter.clipped
    meter.advance(0.1, 1.0, 0.1)
    assert meter.clipped
    meter.advance(4.0)
    assert meter.clipped
    meter.advance(2.0)
    assert not meter.clipped


@pytest.mark.parametrize("amplitude", [0.0, math.nan, math.inf, -1.0])
def test_invalid_amplitudes_count_as_silence(amplitude: float) -> None:
    assert decibels(amplitude) == -math.inf


def test_a_lamp_fades() -> None:
    lamp = Lamp()
    lamp.on_note(127)
    assert lamp.brightness == 1
    lamp.advance(0.2)
    assert 0.4 < lamp.brightness < 0.6
    lamp.advance(10)
    assert lamp.brightness == 0
