"""A station detects sound that is not music, and does not mistake quiet settings for that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from radio.audio.mixer import Mixer
from radio.audio.signal_guard import LIMIT, SignalError
from radio.settings.station import StationSettings
from radio.station.factory import open_station
from radio.types import MIX_BLOCK, SAMPLE_RATE, Block, Frames
from tests.station import test_station

settings = test_station.settings

FAILS_AT: Frames = 4 * SAMPLE_RATE
PLAYED = ("keys", "bass", "drums", "lead")
TEXTURES = ("vinyl", "rain", "ambience")


def muted(*layers: str) -> dict[str, object]:
    return {f"{layer}_mute": True for layer in layers}


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Block], Block]], None]:
    """Change the output of the mixer from `FAILS_AT` onward."""

    def change(fault: Callable[[Block], Block]) -> None:
        process = Mixer.process

        def broken(self: Mixer, *arguments: object, **cues: object) -> Block:
            block = process(self, *arguments, **cues)  # type: ignore[arg-type]
            return block if self.position < FAILS_AT else fault(block)

        monkeypatch.setattr(Mixer, "process", broken)

    return change


@pytest.mark.parametrize("fault", [np.zeros_like, lambda _: np.full((MIX_BLOCK, 2), 0.3, np.float32)])
def test_silence_and_a_constant_are_faults(
    settings: StationSettings, broken: Callable[[Callable[[Block], Block]], None], fault: Callable[[Block], Block]
) -> None:
    broken(fault)
    station = open_station(settings, seed=3)
    try:
        with pytest.raises(SignalError) as caught:
            station.render(FAILS_AT + 3 * LIMIT)
    finally:
        station.close()
    assert caught.value.fault == "silent"
    assert FAILS_AT - SAMPLE_RATE < caught.value.frame < FAILS_AT + LIMIT


@pytest.mark.slow
def test_silence_is_no_fault_while_all_played_layers_are_muted(
    settings: StationSettings, broken: Callable[[Callable[[Block], Block]], None]
) -> None:
    broken(np.zeros_like)
    station = open_station(settings, seed=3)
    try:
        station.control(muted(*PLAYED))
        station.render(FAILS_AT + 3 * LIMIT)
        station.control({"keys_mute": False, "bass_mute": False, "drums_mute": False})
        with pytest.raises(SignalError):
            station.render(3 * LIMIT)
    finally:
        station.close()


QUIET = (
    muted(*PLAYED, *TEXTURES),
    {f"{layer}_level": -60 for layer in (*PLAYED, *TEXTURES)},
    muted(*TEXTURES) | {"density": 0, "drums_density": 0, "lead_density": 0, "energy": 0, "lowpass": 500},
    muted(*TEXTURES, "keys", "bass") | {"drums_level": -10, "lowpass": 1_000},
    muted(*TEXTURES, "bass", "drums", "lead") | {"keys_level": -10, "density": 0, "lowpass": 1_000},
    muted(*TEXTURES, "keys", "drums", "lead") | {"bass_level": -10, "lowpass": 1_000},
)


@pytest.mark.slow
@pytest.mark.parametrize("controls", QUIET)
def test_quiet_settings_are_no_fault_for_a_whole_track(settings: StationSettings, controls: dict[str, object]) -> None:
    quiet = replace(settings, controls=settings.controls.changed(controls))
    station = open_station(quiet, seed=4)
    try:
        for _ in range(90):
            station.render(SAMPLE_RATE)
    finally:
        station.close()
