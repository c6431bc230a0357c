"""Tests of stations with checkpoints of every architecture, named in stations.yaml."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radio.model.spec.architectures import ARCHITECTURES
from radio.model.weights import checkpoint
from radio.settings.config import load
from radio.station.factory import open_station
from radio.types import SAMPLE_RATE
from tests.model.models import older_tokens, random_checkpoint
from train.networks.architectures import size_spec

BAR = 3 * SAMPLE_RATE  # four beats at 80 BPM


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_a_station_plays_the_checkpoint_in_its_config(architecture: str, tmp_path: Path) -> None:
    spec = size_spec(architecture, layers=2, width=64, vocabulary=len(older_tokens("piano")), dropout=0.0)
    checkpoint.write(tmp_path / "mine.safetensors", random_checkpoint(spec), "int8")
    config = tmp_path / "stations.yaml"
    config.write_text(
        "stations:\n  mine:\n    title: Mine\n    piano: mine.safetensors\n    progressions: [[Dm9, G7, Cmaj9, Am7]]\n"
        "    controls: {tempo: 80, drums_mute: true, vinyl_mute: true, rain_mute: true}\n"
    )
    station = open_station(load(config).stations["mine"], seed=3)
    try:
        audio = station.render(BAR)
        notes = [event for event in station.events() if event.kind == "note" and event.data["layer"] == "keys"]
    finally:
        station.close()
    assert np.isfinite(audio).all()
    assert notes
