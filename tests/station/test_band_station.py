"""A station with a band model, named in stations.yaml: all layers come from one checkpoint."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.cli.doctor import files
from radio.errors import ModelError
from radio.model.spec.baselines import TransformerSpec
from radio.model.spec.rwkv import Rwkv6Spec, Rwkv7Spec, Spec
from radio.model.weights import checkpoint
from radio.music.vocab import BAND_SIZE
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.station.extent import WholeTracks
from radio.station.factory import open_station
from radio.station.resume import PREROLL
from radio.station.score import compose
from radio.station.station import Station
from radio.types import SAMPLE_RATE, Frames, StationEvent
from tests.model.models import band_checkpoint
from tests.model.models import checkpoint as random_model

BAR = 3 * SAMPLE_RATE  # four beats at 80 BPM


def station_with(folder: Path, spec: Spec) -> StationSettings:
    checkpoint.write(folder / "band.safetensors", band_checkpoint(spec), "int8")
    config = folder / "stations.yaml"
    config.write_text(
        "stations:\n  mine:\n    title: Mine\n    band: band.safetensors\n    progressions: [[Dm9, G7, Cmaj9, Am7]]\n"
        "    tempo_spread: 0\n    controls: {temperature: 1.0, density: 1.0, vinyl_mute: true, rain_mute: true}\n"
    )
    return load(config).stations["mine"]


@pytest.fixture
def mine(tmp_path: Path) -> StationSettings:
    return station_with(tmp_path, Rwkv6Spec(2, 64, BAND_SIZE))


@pytest.mark.parametrize(
    "spec",
    [Rwkv6Spec(2, 64, BAND_SIZE), Rwkv7Spec(2, 64, BAND_SIZE), TransformerSpec(2, 64, BAND_SIZE, context=64)],
    ids=["rwkv6", "rwkv7", "transformer"],
)
def test_a_station_plays_all_layers_from_one_checkpoint(spec: Spec, tmp_path: Path) -> None:
    mine = station_with(tmp_path, spec)
    with closing(open_station(mine, seed=3)) as station:
        audio = station.render(2 * BAR)
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() > 0.01
    score = compose(mine, 3, WholeTracks(1))
    for layer in ("keys", "bass", "drums"):
        events = score.events(layer)
        assert sum(event.velocity > 0 for event in events) == sum(event.velocity == 0 for event in events) > 0


def test_a_station_resumes_from_a_snapshot_as_if_it_had_never_stopped(mine: StationSettings) -> None:
    with closing(open_station(mine, seed=4)) as station, closing(open_station(mine, seed=4)) as other:
        station.render(3 * BAR)
        snapshot = station.take_snapshot()
        assert snapshot is not None
        seam = snapshot.frame + PREROLL
        other.resume(snapshot.data, [])
        expected, resumed = (notes(player, seam, seam + 2 * BAR) for player in (station, other))
    assert len(expected) > 10
    assert resumed == expected


def notes(station: Station, start: Frames, end: Frames) -> list[StationEvent]:
    """Return the notes that a station plays from one frame to another."""
    station.render(end - station.position)
    return [event for event in station.events() if event.kind == "note" and start <= event.frame < end]


def test_a_model_of_another_part_is_refused(mine: StationSettings, tmp_path: Path) -> None:
    checkpoint.write(tmp_path / "piano.safetensors", random_model("piano"))
    wrong = replace(mine, band=tmp_path / "piano.safetensors")
    with pytest.raises(ModelError, match="this is a piano model; use a band model"):
        open_station(wrong, seed=1)
    findings = {finding.name: finding.is_ok for finding in files({"mine": wrong})}
    assert not findings["mine: band"]
    assert {finding.name: finding.is_ok for finding in files({"mine": mine})}["mine: band"]
